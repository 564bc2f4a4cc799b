"""A token and a project for the benchmarks, set up through the command line as a user would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from .measuring import hatch_sign


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with a configuration that signs by `key` and trusts it, and the environment that unlocks the token."""

    folder: Path
    environ: Mapping[str, str]
    key: str = "emulated:bench/release"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    # A benchmark of start-up is one of compiled code, as users have it, whatever the tests are run with.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "HATCH_SIGN_HOME": str(folder / "home"),
        "HATCH_SIGN_PIN": "482951",
        "HATCH_SIGN_SO_PIN": "76194203",
        "HATCH_SIGN_ALLOW_DIRECTORY": str(folder),
    }
    here = Bench(folder, environ)
    for command in (
        ("token", "init", "bench"),
        ("key", "generate", here.key),
        ("key", "export-public", here.key, "-o", "release.pub"),
    ):
        subprocess.run(hatch_sign(*command), cwd=folder, env=environ, check=True, capture_output=True)
    (folder / "hatch-sign.toml").write_text(
        f'key = "{here.key}"\nformats = ["sigstore"]\n[[verify.trust]]\npublic-key = "release.pub"\n'
    )
    return here
