"""The table of the wrapped build backend, as `config check` and every other command see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.registry import Registry
from hatch_sign.values.errors import ConfigurationError

GOOD = 'backend = "setuptools.build_meta"\nbackend-path = ["."]\nrequires = ["hatch-sign-pkcs11"]\n'


def load(folder: Path, name: str, text: str, **environ: str) -> None:
    (folder / name).write_text(text)
    load_configuration(folder / name, directory=folder, environ=environ, overrides=Overrides(), registry=Registry())


def test_a_table_that_is_right_is_taken(tmp_path: Path) -> None:
    load(tmp_path, "pyproject.toml", f"[tool.hatch-sign.build]\n{GOOD}")


def test_the_variable_that_makes_builds_sign_overrides_no_key(tmp_path: Path) -> None:
    load(tmp_path, "pyproject.toml", f"[tool.hatch-sign.build]\n{GOOD}", HATCH_SIGN_BUILD="1")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("pyproject.toml", "[tool.hatch-sign.build]\n", "build: lacks `backend`"),
        ("pyproject.toml", "[tool.hatch-sign]\nbuild = 1\n", "build: is an integer, expected a table"),
        ("pyproject.toml", "[tool.hatch-sign.build]\nbackend = 1\n", "build.backend: is an integer, expected a string"),
        ("pyproject.toml", f"[tool.hatch-sign.build]\n{GOOD}bakend = 1\n", "build.bakend: is not a known key"),
        ("hatch-sign.toml", f"[build]\n{GOOD}", "belongs in pyproject.toml, as [tool.hatch-sign.build]"),
    ],
)
def test_a_table_that_is_wrong_is_said(tmp_path: Path, name: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, name, text)
    (problem,) = refused.value.problems
    assert reason in problem
