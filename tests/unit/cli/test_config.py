"""``hatch-sign config check``: reads everything, opens no key."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.cli.commands import build_parser, load_command
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.values.errors import ConfigurationError, UsageError
from hatch_sign.values.public_keys import encode_public_key_pem

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXT = """\
[tool.hatch-sign]
key = "pkcs11:token=release;object=signing?pin-source=env:NO_SUCH_PIN"
formats = ["sigstore"]
[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
artifacts = ["*.whl"]
not-before = 2026-01-01
not-after = 2027-12-31
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(TEXT)
    (tmp_path / "release.pub").write_bytes(_pem())
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run a command in `folder`; return its exit code, and what it wrote to standard output and standard error."""

    def run(*arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(Console(out, err), environ or {}, folder, lambda: NOW)
        parsed = build_parser([arguments[0]]).parse_args(arguments)
        code = load_command(arguments[0]).run(parsed, environment)
        return code, out.getvalue(), err.getvalue()

    return run


def _pem() -> bytes:
    return encode_public_key_pem(ec.generate_private_key(ec.SECP256R1()).public_key())


def test_check_says_what_is_signed_and_trusted(run: Run, folder: Path) -> None:
    code, out, err = run("config", "check")
    assert code == 0
    assert out.splitlines() == [
        f"{folder / 'pyproject.toml'}: no mistakes",
        "signs * with pkcs11:token=release;object=signing as sigstore",
        "requires sigstore",
        "trusts verify.trust[0] (public-key release.pub) for *.whl from 2026-01-01 00:00:00Z until 2027-12-31 23:59:59Z",
    ]
    assert err == "hatch-sign: warning: no backend named 'pkcs11' is installed; install hatch-sign-pkcs11\n"


def test_check_writes_one_document(run: Run, folder: Path) -> None:
    code, out, _ = run("config", "check", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["configuration"] == str(folder / "pyproject.toml")
    assert document["signatures"][0]["key"] == "pkcs11:token=release;object=signing"
    assert document["require"] == ["sigstore"]
    assert document["trust"][0]["not-after"] == "2027-12-31T23:59:59.999999+00:00"


def test_check_reads_every_file_and_tells_of_all_that_are_wrong(run: Run, folder: Path) -> None:
    text = TEXT.replace("formats", 'certificates = "chain.pem"\nformats', 1)
    (folder / "pyproject.toml").write_text(text)
    (folder / "release.pub").write_text("nothing")
    with pytest.raises(ConfigurationError) as caught:
        run("config", "check")
    chain, key = caught.value.problems
    assert "chain.pem cannot be read" in chain
    assert "release.pub: not a PEM public key" in key


def test_check_warns_where_nobody_is_trusted(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.hatch-sign]\nkey = "emulated:release"\n')
    code, _, err = run("config", "check")
    assert code == 0
    assert err == "hatch-sign: warning: nobody is trusted: write [[tool.hatch-sign.verify.trust]] before verifying\n"


def test_check_opens_no_key(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TEXT.replace("pkcs11:token=release;object=signing", "emulated:release"))
    code, _, err = run("config", "check", environ={"HATCH_SIGN_HOME": str(folder / "home")})
    assert (code, err) == (0, "")
    assert not (folder / "home").exists()


def test_check_needs_a_configuration(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").unlink()
    with pytest.raises(ConfigurationError, match="holds no configuration; write a table"):
        run("config", "check")


def test_an_observer_that_is_not_installed_is_told(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.hatch-sign]\nobservers = ["audi"]\n')
    with pytest.raises(Exception, match="no observer named 'audi' is installed"):
        run("config", "check")


# --- trust export -------------------------------------------------------------------------------------------------------


def test_export_prints_one_file_that_checks(run: Run, folder: Path) -> None:
    code, out, _ = run("trust", "export")
    assert code == 0
    (folder / "consumer").mkdir()
    (folder / "consumer" / "mine.toml").write_text(out)
    (folder / "release.pub").unlink()
    checked, summary, _ = run("config", "check", "--config", "consumer/mine.toml")
    assert checked == 0
    assert "trusts verify.trust[0] (public-key, inline) for *.whl from 2026-01-01" in summary


def test_export_writes_a_file_and_replaces_it_only_when_told(run: Run, folder: Path) -> None:
    code, out, err = run("trust", "export", "-o", "mine.toml")
    assert (code, out) == (0, "")
    assert err == f"hatch-sign: wrote {folder / 'mine.toml'}, from {folder / 'pyproject.toml'}\n"
    written = (folder / "mine.toml").read_bytes()
    (folder / "release.pub").write_bytes(_pem())
    with pytest.raises(UsageError, match=r"mine\.toml exists; name another file, or add --overwrite"):
        run("trust", "export", "-o", "mine.toml")
    assert (folder / "mine.toml").read_bytes() == written
    run("trust", "export", "-o", "mine.toml", "--overwrite")
    assert (folder / "mine.toml").read_bytes() != written


def test_export_of_wrong_trust_leaves_no_file(run: Run, folder: Path) -> None:
    (folder / "release.pub").write_text("nothing")
    with pytest.raises(ConfigurationError):
        run("trust", "export", "-o", "mine.toml")
    assert not (folder / "mine.toml").exists()
