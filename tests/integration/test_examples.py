"""The examples do what their READMEs say, typed as it stands there; and what they sign is refused once it is changed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .projects import EXAMPLES, Project, clean_environment, copy_example, tamper, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable

BUILT = {
    "pure_package": {"slugline-1.0.0-py3-none-any.whl", "slugline-1.0.0.tar.gz"},
    "application": {"tally-1.0.0-py3-none-any.whl", "tally-1.0.0.tar.gz", "tally-1.0.0.pyz"},
    "compiled_extension": {"fletcher32-1.0.0-PLATFORM.whl", "fletcher32-1.0.0.tar.gz"},
    "setuptools_package": {"numerus-1.0.0-py3-none-any.whl", "numerus-1.0.0.tar.gz"},
    "flit_package": {"pangramic-1.0.0-py3-none-any.whl", "pangramic-1.0.0.tar.gz"},
    "poetry_package": {"leapday-1.0.0-py3-none-any.whl", "leapday-1.0.0.tar.gz"},
    "cibuildwheel_extension": {"bitsum-1.0.0-PLATFORM.whl", "bitsum-1.0.0.tar.gz"},
}
"""What each example builds; the tags of a platform wheel differ."""

FOLDERS = {"cibuildwheel_extension": "wheelhouse"}
"""Where an example leaves what it builds, if not in ``dist``."""


def commands(readme: str) -> list[list[str]]:
    """Return the commands in a README: its indented lines, without the comments that explain them."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^ {4}(.+)$", readme, flags=re.MULTILINE)]


@dataclass
class Example(Project):
    """A project that was built as its README says."""

    name: str = ""

    @property
    def dist(self) -> Path:
        return self.root / FOLDERS.get(self.name, "dist")

    def artifacts(self) -> set[str]:
        """Return the names of what was built, without signatures."""
        return {path for path in self.built() if not path.endswith(".json")}


@pytest.fixture(scope="module")
def tools(wheelhouse: Path, isolated: dict[str, str]) -> dict[str, str]:
    """Add the front ends that ``uvx`` runs to the store, and keep what Poetry makes out of the user's folders."""
    pip = [sys.executable, "-m", "pip", "--quiet", "download", "--only-binary=:all:", "--dest", str(wheelhouse)]
    subprocess.run([*pip, "flit", "poetry"], env=clean_environment(wheelhouse), check=True)
    folder = Path(isolated["HATCH_DATA_DIR"]).parent
    return isolated | {"POETRY_CACHE_DIR": str(folder / "poetry"), "POETRY_CONFIG_DIR": str(folder / "poetry-config")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tools: dict[str, str]) -> Callable[[str], Example]:
    """Follow the README of an example, once."""
    made: dict[str, Example] = {}

    def follow(name: str) -> Example:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            # uvx passes over virtual environments, and wheels were downloaded for this Python only.
            interpreter = Path(sys.base_prefix, "bin" if os.name == "posix" else "")
            path = os.pathsep.join([sysconfig.get_path("scripts"), str(interpreter), os.environ["PATH"]])
            environ = clean_environment(folder / "home", PATH=path, HATCH_SIGN_ALLOW_DIRECTORY=str(folder), **tools)
            copied = copy_example(name, folder / "project", unmeasured(environ))
            project = Example(copied.root, copied.environ, name)
            for command in commands((project.root / "README.md").read_text(encoding="utf-8")):
                done = project.run(*command)
                assert done.code == 0, done.output
            made[name] = project
        return made[name]

    return follow


@pytest.mark.parametrize("name", BUILT)
def test_the_commands_of_the_readme_sign_and_verify(built: Callable[[str], Example], name: str) -> None:
    project = built(name)
    assert {re.sub(r"cp\w+-cp\w+-\w+", "PLATFORM", path) for path in project.artifacts()} == BUILT[name]
    assert {f"{path}.sigstore.json" for path in project.artifacts()} <= project.built()


@pytest.mark.parametrize("name", BUILT)
def test_each_artifact_is_refused_once_it_is_changed(built: Callable[[str], Example], name: str) -> None:
    project = built(name)
    for artifact in project.artifacts():
        original = (project.dist / artifact).read_bytes()
        tamper(project.dist / artifact)
        verified = project.sign("verify", project.dist / artifact)
        (project.dist / artifact).write_bytes(original)
        assert verified.code == 1, artifact
        assert "hash-mismatch" in verified.output
    assert project.sign("verify", project.dist).code == 0


def test_every_example_is_tried() -> None:
    signed = {
        path.parent.name
        for path in EXAMPLES.glob("*/pyproject.toml")
        if "[tool.hatch-sign]" in path.read_text(encoding="utf-8")
    }
    assert signed == set(BUILT)


def test_the_compiled_extension_is_in_a_platform_wheel_and_runs(built: Callable[[str], Example], tmp_path: Path) -> None:
    project = built("compiled_extension")
    wheel = project.artifact()
    assert "none-any" not in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        assert [
            name
            for name in archive.namelist()
            if "_fletcher32" in name and name.endswith(sysconfig.get_config_var("EXT_SUFFIX"))
        ]
        archive.extractall(tmp_path)
    done = project.python("-c", "import fletcher32; print(fletcher32.checksum(b'abcde'))", PYTHONPATH=str(tmp_path))
    assert done.output.strip() == str(0xF04FC729), "the value that the literature gives for abcde"


def test_the_application_runs_as_one_file(built: Callable[[str], Example], tmp_path: Path) -> None:
    project = built("application")
    (tmp_path / "words.txt").write_text("three small words")
    done = project.python(project.dist / "tally-1.0.0.pyz", tmp_path / "words.txt")
    assert done.output.startswith("3\t")


def test_the_statement_of_the_application_names_all_three_files(built: Callable[[str], Example]) -> None:
    project = built("application")
    verified = project.sign("verify", "dist", "--require", "statement")
    assert verified.code == 0, verified.output
    original = (project.dist / "tally-1.0.0.pyz").rename(project.dist / "other-1.0.0.pyz")
    refused = project.sign("verify", "dist", "--require", "statement")
    original.rename(project.dist / "tally-1.0.0.pyz")
    assert refused.code == 1


def test_the_package_does_what_it_is_for(built: Callable[[str], Example]) -> None:
    project = built("pure_package")
    done = project.python("-c", "import slugline; print(slugline.slug('Čas, dnes!'))", PYTHONPATH=str(project.artifact()))
    assert done.output.strip() == "cas-dnes"


@pytest.mark.parametrize(
    ("name", "code", "printed"),
    [
        ("setuptools_package", "import numerus; print(numerus.roman(1994))", "MCMXCIV"),
        ("flit_package", "import pangramic; print(pangramic.is_pangram('Sphinx of black quartz, judge my vow'))", "True"),
        ("poetry_package", "import leapday; print(leapday.is_leap(1900), leapday.is_leap(2000))", "False True"),
        ("cibuildwheel_extension", "import bitsum; print(bitsum.bits(0xFF01))", "9"),
    ],
)
def test_what_other_backends_build_does_what_it_is_for(
    built: Callable[[str], Example], tmp_path: Path, name: str, code: str, printed: str
) -> None:
    project = built(name)
    with zipfile.ZipFile(project.artifact()) as archive:
        archive.extractall(tmp_path)
    assert project.python("-c", code, PYTHONPATH=str(tmp_path)).output.strip() == printed


def test_what_is_run_here_is_what_the_workflow_of_cibuildwheel_signs_with() -> None:
    example = EXAMPLES / "cibuildwheel_extension"
    workflow = (example / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    signing = [command for command in commands((example / "README.md").read_text(encoding="utf-8")) if "sign" in command]
    assert len(signing) == 1
    assert f"run: {' '.join(signing[0])}\n" in workflow
