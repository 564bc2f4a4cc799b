"""The examples do what their READMEs say, typed as it stands there; and what they sign is refused once it is changed."""

from __future__ import annotations

import os
import re
import shlex
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest

from .projects import EXAMPLES, Project, clean_environment, copy_example, tamper, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUILT = {
    "pure_package": {"slugline-1.0.0-py3-none-any.whl", "slugline-1.0.0.tar.gz"},
    "application": {"tally-1.0.0-py3-none-any.whl", "tally-1.0.0.tar.gz", "tally-1.0.0.pyz"},
    "compiled_extension": {"fletcher32-1.0.0-PLATFORM.whl", "fletcher32-1.0.0.tar.gz"},
}
"""What each example builds; the tags of a platform wheel differ."""


def commands(readme: str) -> list[list[str]]:
    """Return the commands in a README: its indented lines, without the comments that explain them."""
    return [shlex.split(line, comments=True) for line in re.findall(r"^ {4}(.+)$", readme, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, isolated: dict[str, str]) -> Callable[[str], Project]:
    """Follow the README of an example, once."""
    made: dict[str, Project] = {}

    def follow(name: str) -> Project:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            scripts = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
            environ = clean_environment(folder / "home", PATH=scripts, HATCH_SIGN_ALLOW_DIRECTORY=str(folder), **isolated)
            project = copy_example(name, folder / "project", unmeasured(environ))
            for command in commands((project.root / "README.md").read_text(encoding="utf-8")):
                done = project.run(*command)
                assert done.code == 0, done.output
            made[name] = project
        return made[name]

    return follow


@pytest.mark.parametrize("name", BUILT)
def test_the_commands_of_the_readme_sign_and_verify(built: Callable[[str], Project], name: str) -> None:
    project = built(name)
    artifacts = {re.sub(r"cp\w+-cp\w+-\w+", "PLATFORM", path) for path in project.built() if not path.endswith(".json")}
    assert artifacts == BUILT[name]
    assert {f"{path}.sigstore.json" for path in project.built() if not path.endswith(".json")} <= project.built()


@pytest.mark.parametrize("name", BUILT)
def test_each_artifact_is_refused_once_it_is_changed(built: Callable[[str], Project], name: str) -> None:
    project = built(name)
    for artifact in [path for path in project.built() if not path.endswith(".json")]:
        original = (project.dist / artifact).read_bytes()
        tamper(project.dist / artifact)
        verified = project.sign("verify", project.dist / artifact)
        (project.dist / artifact).write_bytes(original)
        assert verified.code == 1, artifact
        assert "hash-mismatch" in verified.output
    assert project.sign("verify", "dist").code == 0


def test_every_example_is_tried() -> None:
    signed = {
        path.parent.name
        for path in EXAMPLES.glob("*/pyproject.toml")
        if "[tool.hatch-sign]" in path.read_text(encoding="utf-8")
    }
    assert signed == set(BUILT)


def test_the_compiled_extension_is_in_a_platform_wheel_and_runs(built: Callable[[str], Project], tmp_path: Path) -> None:
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


def test_the_application_runs_as_one_file(built: Callable[[str], Project], tmp_path: Path) -> None:
    project = built("application")
    (tmp_path / "words.txt").write_text("three small words")
    done = project.python(project.dist / "tally-1.0.0.pyz", tmp_path / "words.txt")
    assert done.output.startswith("3\t")


def test_the_statement_of_the_application_names_all_three_files(built: Callable[[str], Project]) -> None:
    project = built("application")
    verified = project.sign("verify", "dist", "--require", "statement")
    assert verified.code == 0, verified.output
    original = (project.dist / "tally-1.0.0.pyz").rename(project.dist / "other-1.0.0.pyz")
    refused = project.sign("verify", "dist", "--require", "statement")
    original.rename(project.dist / "tally-1.0.0.pyz")
    assert refused.code == 1


def test_the_package_does_what_it_is_for(built: Callable[[str], Project]) -> None:
    project = built("pure_package")
    done = project.python("-c", "import slugline; print(slugline.slug('Čas, dnes!'))", PYTHONPATH=str(project.artifact()))
    assert done.output.strip() == "cas-dnes"
