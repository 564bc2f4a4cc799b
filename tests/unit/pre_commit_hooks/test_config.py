"""The configuration is checked where there is one, with all that it names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hatch_sign_pre_commit.check_config import main
from tests.unit.publishing.releases import TRUSTED, public_key

TRUSTING = '[[tool.hatch-sign.verify.trust]]\npublic-key = "release.pub"\n'


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release.pub").write_bytes(public_key(TRUSTED))
    return tmp_path


def test_a_configuration_without_mistakes_passes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(TRUSTING)
    assert main(["pyproject.toml"]) == 0
    assert "no mistakes" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[project]\nname = 'demo'\n", "[tool.other]\n"])
def test_a_project_without_a_configuration_passes(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(text)
    assert main(["pyproject.toml"]) == 0
    assert main([]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TRUSTING.replace("release.pub", "missing.pub"), "missing.pub"),
        (TRUSTING.replace("release.pub", "pyproject.toml"), "not a PEM public key"),
        ("[tool.hatch-sign]\nkye = 'emulated:a'\n", "did you mean `key`?"),
        ("[tool.hatch-sign\n", "it is not TOML"),
        ("[tool.hatch_sign]\n", "spelled with a hyphen"),
    ],
)
def test_a_mistake_stops_it(text: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(text)
    assert main(["pyproject.toml"]) == 2
    assert problem in capsys.readouterr().err


def test_two_configurations_stop_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text(TRUSTING)
    Path("hatch-sign.toml").write_text('key = "emulated:a"\n')
    assert main(["hatch-sign.toml"]) == 2
    assert "holds a configuration too" in capsys.readouterr().err


def test_nothing_slow_is_imported_where_there_is_nothing_to_check() -> None:
    imports = "import sys; from hatch_sign_pre_commit import check_config, check_release"
    code = f"{imports}; check_config.main([]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"hatch_sign_pre_commit.check_config", "hatch_sign_pre_commit.check_release"} <= loaded
    assert not loaded & {"cryptography", "hatch_sign", "pluggy", "packaging"}
