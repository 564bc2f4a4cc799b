"""The front ends that people build with, each as it is: those that keep what they build sign it, the others do not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .projects import Project, tamper, unmeasured

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "slugline-1.0.0-py3-none-any.whl"
SDIST = "slugline-1.0.0.tar.gz"
SIGNED = {WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}
BUILD = ("-m", "build", "--installer", "uv")
PIP = (sys.executable, "-m", "pip", "--verbose")


@pytest.fixture
def project(make_project: Callable[..., Project], isolated: dict[str, str]) -> Project:
    made = make_project(**isolated)
    return Project(made.root, unmeasured(made.environ))


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment to install into."""
    folder = tmp_path_factory.mktemp("environment")
    import venv  # noqa: PLC0415 - needed here only

    venv.create(folder, with_pip=False)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def assert_signed(project: Project) -> None:
    """Both distributions verify, and a changed one does not."""
    assert project.built() == SIGNED
    verified = project.sign("verify", "dist")
    assert verified.code == 0, verified.output
    tamper(project.dist / WHEEL)
    refused = project.sign("verify", "dist")
    assert refused.code == 1
    assert "hash-mismatch" in refused.output


def assert_abstained(output: str, reason: str, *, artifact: str = "slugline-1.0.0") -> None:
    """One line of warning per build, which names the reason; and no signature, and no other word of ours."""
    lines = [line.strip() for line in output.splitlines() if "hatch-sign:" in line]
    assert len(lines) == 1, output
    assert lines[0].startswith(f"hatch-sign: warning: {artifact}")
    assert reason in lines[0]


def test_hatch_build_needs_no_variable(project: Project) -> None:
    del project.environ["HATCH_BUILD_HOOK_ENABLE_SIGN"]
    for _ in range(2):
        done = project.python("-m", "hatch", "build", "-c")
        assert done.code == 0, done.output
        assert project.built() == SIGNED
        project.change_source()
    failed = project.python("-m", "hatch", "build", "-t", "wheel", HATCH_SIGN_PIN="wrong")
    assert failed.code == 3
    assert "Traceback" not in failed.output
    assert project.built() == {SDIST, f"{SDIST}.sigstore.json"}
    assert project.python("-m", "hatch", "build", "-t", "wheel").code == 0
    assert_signed(project)


def test_python_build_signs_though_the_wheel_is_built_from_an_unpacked_sdist(project: Project) -> None:
    done = project.python("-m", "build")  # installs by pip, which must not be taken for a build by pip
    assert done.code == 0, done.output
    assert_signed(project)


def test_python_build_withdraws_into_the_project(project: Project) -> None:
    assert project.python(*BUILD).code == 0
    done = project.python(*BUILD, HATCH_SIGN_PIN="wrong")
    assert done.code == 1
    assert project.built() == {WHEEL, f"{WHEEL}.sigstore.json"}, "the sdist is withdrawn, and the wheel was not reached"
    assert (project.quarantine / SDIST).is_file()


def test_python_build_puts_signatures_and_records_below_the_project(project: Project) -> None:
    more = 'output-directory = "signatures"\naudit-file = "audit.jsonl"'
    project.configure('formats = ["sigstore"]', f'formats = ["sigstore"]\n{more}')
    done = project.python(*BUILD)
    assert done.code == 0, done.output
    assert {path.name for path in (project.root / "signatures").iterdir()} == SIGNED - {WHEEL, SDIST}
    assert len((project.root / "audit.jsonl").read_text().splitlines()) == 2


def test_a_file_of_the_configuration_that_is_not_in_the_sdist_is_named(project: Project) -> None:
    table = "[tool.hatch.build.targets.wheel]"
    project.configure(table, f'[tool.hatch.build.targets.sdist]\nexclude = ["release.pub"]\n\n{table}')
    done = project.python(*BUILD)
    assert done.code == 1
    (line,) = done.lines("hatch-sign: error:")
    assert "release.pub" in done.output
    assert "[tool.hatch.build.targets.sdist]" in line
    assert project.built() == {SDIST, f"{SDIST}.sigstore.json"}
    assert project.python(*BUILD, "--wheel").code == 0, "from the checkout it is there"


def test_uv_build_signs(project: Project) -> None:
    done = project.python("-m", "uv", "build")
    assert done.code == 0, done.output
    assert_signed(project)


def test_pip_wheel_abstains(project: Project) -> None:
    done = project.run(*PIP, "wheel", "--no-deps", "--wheel-dir", "out", ".")
    assert done.code == 0, done.output
    assert_abstained(done.output, "pip keeps what it builds only to install it")
    assert [path.name for path in (project.root / "out").iterdir()] == [WHEEL]


def test_pip_install_abstains(project: Project) -> None:
    done = project.run(*PIP, "install", "--no-deps", "--target", "out", ".")
    assert done.code == 0, done.output
    assert_abstained(done.output, "pip keeps what it builds only to install it")


def test_pip_install_editable_abstains(project: Project, interpreter: Path) -> None:
    done = project.run(*PIP, "--python", interpreter, "install", "--no-deps", "--editable", ".")
    assert done.code == 0, done.output
    assert_abstained(done.output, "an editable build is no release")


def test_uv_pip_install_abstains(project: Project, interpreter: Path) -> None:
    done = project.python("-m", "uv", "--verbose", "pip", "install", "--no-deps", "--python", interpreter, ".")
    assert done.code == 0, done.output
    assert "is not signed: it was built in the cache of uv" in done.output
    assert "sigstore is" not in done.output


def test_uv_pip_install_editable_abstains(project: Project, interpreter: Path) -> None:
    done = project.python("-m", "uv", "--verbose", "pip", "install", "--no-deps", "--python", interpreter, "--editable", ".")
    assert done.code == 0, done.output
    assert "is not signed: an editable build is no release" in done.output


def test_tox_abstains(project: Project) -> None:
    """What was made is looked at, not what tox relays: of a build's standard error it may lose the end."""
    (project.root / "tox.ini").write_text(
        "[tox]\nenv_list = one\n[testenv]\npackage = wheel\nwheel_build_env = .pkg\npass_env = PIP_*\n"
        "commands = python -c 'import slugline'\n[testenv:.pkg]\npass_env = PIP_*,HATCH_*\n"
    )
    tox = project.root / ".tox"
    done = project.python("-m", "tox", "run")
    assert done.code == 0, done.output
    assert not list(tox.rglob("*.sigstore.json"))
    done = project.python("-m", "tox", "run", HATCH_SIGN_ALLOW_DIRECTORY=str(tox))
    assert done.code == 0, done.output
    assert [path.name for path in tox.rglob("*.sigstore.json")] == [f"{WHEEL}.sigstore.json"], "nothing else kept it back"


def test_a_temporary_folder_is_no_place_for_a_release(project: Project) -> None:
    done = project.hatchling("-t", "wheel", HATCH_SIGN_ALLOW_DIRECTORY="")
    assert done.code == 0, done.output
    assert_abstained(done.output, "the temporary folder of the system; to sign all the same, name the folder")
    assert project.built() == {WHEEL}


def broken_hatch_sign(project: Project) -> str:
    """Put a hatch_sign first on the path that cannot be imported."""
    folder = project.root.parent / "broken" / "hatch_sign"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('raise RuntimeError("hatch_sign was imported")\n')
    return str(folder.parent)


def test_disabled_it_is_not_even_loaded(project: Project) -> None:
    done = project.hatchling("-t", "wheel", HATCH_BUILD_HOOK_ENABLE_SIGN="0", PYTHONPATH=broken_hatch_sign(project))
    assert done.code == 0, done.output
    assert "hatch" not in done.output.replace(str(project.root), "")
    assert project.built() == {WHEEL}


def test_enabled_it_is_loaded(project: Project) -> None:
    """Show that the test above would notice."""
    done = project.hatchling("-t", "wheel", PYTHONPATH=broken_hatch_sign(project))
    assert done.code == 1
    assert "hatch_sign was imported" in done.output


def test_disabled_it_need_not_be_installed(project: Project, interpreter: Path) -> None:
    del project.environ["HATCH_BUILD_HOOK_ENABLE_SIGN"]
    hatchling = project.run(*PIP, "--python", interpreter, "install", "hatchling")
    assert hatchling.code == 0, hatchling.output
    done = project.run(interpreter, "-m", "hatchling", "build")
    assert done.code == 0, done.output
    assert "hatch" not in done.output.replace(str(project.root), "")
    assert project.built() == {WHEEL, SDIST}
