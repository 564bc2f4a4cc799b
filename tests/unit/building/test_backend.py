"""The backend as front ends see it: the hooks of another, and of signing nothing before it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hatch_sign.backend import is_enabled
from hatch_sign.values.errors import ConfigurationError

_WRAPPED = """\
import os

class UnsupportedOperation(Exception):
    pass

def get_requires_for_build_wheel(config_settings=None):
    return ["cmake"]

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "thing-1.0-py3-none-any.whl"
    with open(os.path.join(wheel_directory, name), "wb") as file:
        file.write(repr((config_settings, metadata_directory)).encode())
    return name

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return build_wheel(wheel_directory, config_settings, metadata_directory)

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    return repr(config_settings)
"""
_PROJECT = '[tool.hatch-sign.build]\nbackend = "small_backend"\nbackend-path = ["."]\nrequires = ["hatch-sign-pkcs11"]\n'
_CALL = """\
import json, sys
import hatch_sign.backend as backend
answer = eval(sys.argv[1])
print(json.dumps([answer, sorted(sys.modules)]))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "small_backend.py").write_text(_WRAPPED)
    (tmp_path / "pyproject.toml").write_text(_PROJECT)
    (tmp_path / "dist").mkdir()
    return tmp_path


def run(root: Path, expression: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Evaluate an expression about `backend` in the project, as a front end does: in a process for itself."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("HATCH_SIGN_", "COVERAGE_", "PIP_"))
    }
    command = [sys.executable, "-c", _CALL, expression]
    environ = inherited | {"HATCH_SIGN_HOME": str(root / "home"), "HATCH_SIGN_ALLOW_DIRECTORY": str(root)} | environ
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


def ask(root: Path, expression: str, **environ: str) -> tuple[Any, set[str]]:
    done = run(root, expression, **environ)
    assert done.returncode == 0, done.stderr
    answer, modules = json.loads(done.stdout)
    return answer, set(modules)


@pytest.mark.parametrize("value", ["", "0"])
def test_not_enabled_nothing_that_signs_is_loaded_and_the_hook_is_the_other_one_s_own(root: Path, value: str) -> None:
    answer, loaded = ask(root, "backend.build_wheel('dist', {'a': ['b']}, None)", HATCH_SIGN_BUILD=value)
    assert answer == "thing-1.0-py3-none-any.whl"
    assert (root / "dist" / answer).read_bytes() == b"({'a': ['b']}, None)"
    assert "small_backend" in loaded
    assert not loaded & {"cryptography", "pluggy", "hatch_sign.building.hooks", "hatch_sign.registry", "hatch_sign.signing"}


def test_importing_it_imports_nothing_of_the_other(root: Path) -> None:
    _, loaded = ask(root, "backend.__name__")
    assert "small_backend" not in loaded
    assert not loaded & {"cryptography", "pluggy", "setuptools", "hatch_sign.building.hooks"}


@pytest.mark.parametrize("enabled", ["0", "1"])
@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("build_wheel", True),
        ("build_editable", True),
        ("prepare_metadata_for_build_wheel", True),
        ("UnsupportedOperation", True),
        ("build_sdist", False),
        ("prepare_metadata_for_build_editable", False),
        ("get_requires_for_build_editable", False),
        ("__path__", False),
    ],
)
def test_what_the_other_lacks_is_absent(root: Path, name: str, enabled: str, *, there: bool) -> None:
    assert ask(root, f"hasattr(backend, {name!r})", HATCH_SIGN_BUILD=enabled)[0] == there


def test_hooks_that_build_nothing_are_handed_through(root: Path) -> None:
    call = "backend.prepare_metadata_for_build_wheel('x', config_settings={'a': 'b'})"
    assert ask(root, call, HATCH_SIGN_BUILD="1")[0] == "{'a': 'b'}"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ["cmake"]),
        ({"HATCH_SIGN_BUILD": "1"}, ["cmake", "hatch-sign-pkcs11"]),
        ({"HATCH_SIGN_BUILD": "1", "PIP_BUILD_TRACKER": "/x"}, ["cmake"]),
    ],
)
def test_what_signing_needs_is_asked_for_where_it_is_going_to_sign(
    root: Path, environ: dict[str, str], expected: list[str]
) -> None:
    assert ask(root, "backend.get_requires_for_build_wheel({})", **environ)[0] == expected


def test_what_signing_needs_is_asked_for_though_the_other_needs_nothing(root: Path) -> None:
    call = "backend.get_requires_for_build_sdist()"
    assert ask(root, call, HATCH_SIGN_BUILD="1")[0] == ["hatch-sign-pkcs11"]
    assert ask(root, "hasattr(backend, 'get_requires_for_build_sdist')")[0] is False


@pytest.mark.parametrize(
    ("call", "environ", "reason"),
    [
        ("backend.build_wheel('dist')", {"PIP_BUILD_TRACKER": "/x"}, "pip keeps what it builds only to install it"),
        (
            "backend.build_wheel(wheel_directory='dist')",
            {"HATCH_SIGN_ALLOW_DIRECTORY": "", "TMPDIR": "."},
            "temporary folder",
        ),
        ("backend.build_editable('dist')", {}, "an editable build is no release"),
    ],
)
def test_what_is_no_release_is_built_and_not_signed(root: Path, call: str, environ: dict[str, str], reason: str) -> None:
    environ = {name: str(root) if value == "." else value for name, value in environ.items()}
    done = run(root, call, HATCH_SIGN_BUILD="1", **environ)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("hatch-sign: warning: thing-1.0-py3-none-any.whl is not signed: ")
    assert reason in done.stderr
    assert [path.name for path in (root / "dist").iterdir()] == ["thing-1.0-py3-none-any.whl"]


def test_what_is_wrong_before_the_build_ends_it_before_the_build(root: Path) -> None:
    done = run(root, "backend.build_wheel('dist')", HATCH_SIGN_BUILD="1")
    assert done.returncode == 2
    assert "no key is configured" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((root / "dist").iterdir()) == []


def test_what_cannot_be_signed_is_withdrawn(root: Path) -> None:
    (root / "pyproject.toml").write_text(f'[tool.hatch-sign]\nkey = "emulated:absent/release"\n\n{_PROJECT}')
    done = run(root, "backend.build_wheel('dist')", HATCH_SIGN_BUILD="1")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("hatch-sign: error: thing-1.0-py3-none-any.whl is not signed: ")
    assert line.endswith(f"moved to {root / '.hatch-sign' / 'unsigned'}")
    assert list((root / "dist").iterdir()) == []


@pytest.mark.parametrize("name", ["../other.whl", ".", "..", "", "/other.whl", "sub/other.whl", None, "\x1b[2Jother/.whl"])
def test_what_lies_elsewhere_is_not_signed_on_the_word_of_the_other(root: Path, name: str | None) -> None:
    (root / "small_backend.py").write_text(f"def build_wheel(folder, settings=None, metadata=None):\n    return {name!r}\n")
    (root / "pyproject.toml").write_text(f'[tool.hatch-sign]\nkey = "emulated:absent/release"\n\n{_PROJECT}')
    other = root / "other.whl"
    other.write_bytes(b"not what was built")
    done = run(root, "backend.build_wheel('dist')", HATCH_SIGN_BUILD="1")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("hatch-sign: error: nothing is signed: the build backend answered ")
    assert line.isprintable()
    assert other.read_bytes() == b"not what was built"


def test_a_table_that_is_wrong_ends_the_build_in_one_line(root: Path) -> None:
    (root / "pyproject.toml").write_text(_PROJECT.replace("small_backend", "hatch_sign.backend"))
    done = run(root, "backend.build_wheel('dist')")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "hatch-sign: error: pyproject.toml: [tool.hatch-sign.build] names hatch_sign.backend itself"
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_front_end_that_looks_for_its_exceptions_while_it_ends_is_told_once(root: Path) -> None:
    calling = """
import hatch_sign.backend as backend
try:
    backend.build_wheel("dist")
except getattr(backend, "UnsupportedOperation", ValueError):  # as pyproject_hooks asks
    pass
"""
    done = run(root, f"exec({calling!r})", HATCH_SIGN_BUILD="perhaps")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("hatch-sign: error: HATCH_SIGN_BUILD is 'perhaps', expected 1 or 0")


@pytest.mark.parametrize(("value", "expected"), [("", False), ("0", False), ("false", False), ("1", True), ("True", True)])
def test_the_variable_says_yes_or_no(value: str, *, expected: bool) -> None:
    assert is_enabled(value) is expected


def test_a_variable_that_says_neither_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="HATCH_SIGN_BUILD is 'yes', expected 1 or 0"):
        is_enabled("yes")
