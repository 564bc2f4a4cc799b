from __future__ import annotations

import argparse
import io
import json
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.backends.emulated.tokens import create_token
from hatch_sign.cli import key as key_command
from hatch_sign.cli import main
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import UsageError
from hatch_sign.values.protection import Protection, ProtectionLevel
from tests.certificate_damage import UNREADABLE, with_damaged_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_sign.contract.backends import BackendContext, Signer

_KEY = "emulated:release/signing"
_DN = "CN=Example Ltd,O=Example Ltd,C=SI"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    environ = {"HATCH_SIGN_HOME": str(tmp_path_factory.mktemp("home"))}
    return create_token("release", pin="31-right", so_pin="99-officer", environ=environ).path.read_bytes()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, made: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tokens").mkdir(mode=0o700)
    (tmp_path / "tokens" / "release.token").touch(mode=0o600)
    (tmp_path / "tokens" / "release.token").write_bytes(made)
    monkeypatch.setenv("HATCH_SIGN_HOME", str(tmp_path))
    monkeypatch.setenv("HATCH_SIGN_PIN", "31-right")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class _Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert "31-right" not in out + err


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> _Ran:
    code = main(["key", *arguments])
    return _Ran(code, *capsys.readouterr())


def _self_signed(subject: str, public_key: object, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    names = [x509.Name.from_rfc4514_string(name) for name in (issuer, subject)]
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(names[0], names[1], public_key, 1, day, day.replace(year=2030))
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("algorithm", [each.value for each in KeyAlgorithm if each is not KeyAlgorithm.RSA_4096])
def test_a_key_is_made_and_its_request_is_accepted_by_openssl(
    capsys: pytest.CaptureFixture[str], home: Path, algorithm: str
) -> None:
    assert _run(capsys, "generate", _KEY, "--algorithm", algorithm).out == f"made the key {_KEY} ({algorithm})\n"
    assert _run(capsys, "csr", "emulated:release", "--subject", _DN, "-o", "r.pem").code == 0
    command = ["openssl", "req", "-in", str(home / "r.pem"), "-verify", "-noout", "-text"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "verify OK" in answer.stderr
    assert "Code Signing" in answer.stdout
    request = x509.load_pem_x509_csr((home / "r.pem").read_bytes())
    assert request.subject.rfc4514_string() == _DN
    exported = _run(capsys, "export-public", _KEY).out
    assert serialization.load_pem_public_key(exported.encode()) == request.public_key()


def test_keys_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(_run(capsys, "generate", _KEY, "--json").out)
    assert document["schema"] == "hatch-sign/keys/v1"
    (key,) = document["keys"]
    assert (key["reference"], key["algorithm"], key["protection"]["level"]) == (_KEY, "ecdsa-p256", "software")
    assert json.loads(_run(capsys, "list", "emulated:release", "--json").out) == document
    assert json.loads(_run(capsys, "show", "emulated:release", "--json").out) == document
    assert _run(capsys, "list", "emulated:release").out == f"{_KEY}  ecdsa-p256  software  no certificate\n"
    shown = _run(capsys, "show", _KEY).out
    assert key["id"] in shown
    assert key["sha256"] in shown


def test_a_chain_is_imported_in_any_order_and_shown(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    _run(capsys, "generate", _KEY)
    request = x509.load_pem_x509_csr(_run(capsys, "csr", _KEY, "--subject", _DN).out.encode())
    authority = ec.generate_private_key(ec.SECP256R1())
    root = _self_signed("CN=Root \u202e\x1b", authority.public_key(), "CN=Root \u202e\x1b", authority)
    leaf = _self_signed(_DN, request.public_key(), "CN=Root \u202e\x1b", authority)
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (root, leaf))
    (home / "chain.pem").write_bytes(pem)
    assert _run(capsys, "import-certificate", _KEY, "chain.pem").out == f"stored 2 certificates with {_KEY}\n"
    (key,) = json.loads(_run(capsys, "show", _KEY, "--json").out)["keys"]
    assert [each["subject"] for each in key["certificates"]] == [_DN, root.subject.rfc4514_string()]
    shown = _run(capsys, "show", _KEY).out
    assert f"{_DN}, until 2030-01-01" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    (home / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    refused = _run(capsys, "import-certificate", _KEY, "root.pem")
    assert refused.code == 2
    assert "root.pem: its certificate is not for this key" in refused.err
    assert len(json.loads(_run(capsys, "show", _KEY, "--json").out)["keys"][0]["certificates"]) == 2


def test_a_certificate_whose_name_cannot_be_read_is_shown_as_such(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    _run(capsys, "generate", _KEY)
    request = x509.load_pem_x509_csr(_run(capsys, "csr", _KEY, "--subject", _DN).out.encode())
    authority = ec.generate_private_key(ec.SECP256R1())
    leaf = _self_signed(_DN, request.public_key(), "CN=Root", authority)
    damaged = with_damaged_name(leaf, "Root")
    (home / "leaf.pem").write_bytes(damaged.public_bytes(serialization.Encoding.PEM))
    assert _run(capsys, "import-certificate", _KEY, "leaf.pem").code == 0
    (key,) = json.loads(_run(capsys, "show", _KEY, "--json").out)["keys"]
    assert [(each["subject"], each["issuer"]) for each in key["certificates"]] == [(_DN, UNREADABLE)]


def test_files_are_not_replaced_unless_told_to(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    _run(capsys, "generate", _KEY)
    (home / "out").write_text("mine")
    for arguments in (("csr", _KEY, "--subject", _DN), ("export-public", _KEY)):
        refused = _run(capsys, *arguments, "-o", "out")
        assert refused.code == 2
        assert "--overwrite" in refused.err
        assert (home / "out").read_text() == "mine"
    assert _run(capsys, "export-public", _KEY, "-o", "out", "--overwrite").code == 0
    assert (home / "out").read_text().startswith("-----BEGIN PUBLIC KEY-----\n")
    assert {path.name for path in home.iterdir()} == {"out", "tokens"}


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("generate", "emulated:release"), 2, "emulated:release/signing"),
        (("generate", "emulated:none/k"), 3, "there is no such token"),
        (("show", "emulated:release"), 3, "it must name one key, and selects 0"),
        (("csr", "emulated:release", "--subject", _DN), 3, "no such key"),
        (("csr", "emulated:release", "--subject", "Example"), 2, "distinguished name"),
        (("import-certificate", "emulated:release", "missing.pem"), 2, "missing.pem cannot be read: No such file"),
        (("csr", "emulated:release/k", "--subject", _DN, "-o", "none/r"), 2, "the folder none does not exist; make it"),
        (("export-public", "emulated:release/k", "-o", "none/r"), 2, "the folder none does not exist; make it"),
        (("list", "nothing"), 2, "SCHEME:PATH"),
        (("list", "nobody:release"), 2, "nobody"),
        (("generate", "emulated:release/k", "--algorithm", "rsa-1024"), 2, "rsa-1024"),
        (("list", "emulated:release?pin-value=31-" + "right"), 2, "holds a PIN"),
    ],
)
def test_mistakes_are_one_clear_error(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, reason: str
) -> None:
    ran = _run(capsys, *arguments)
    assert ran.code == code
    assert reason in ran.err
    assert "free space" not in ran.err
    assert "Traceback" not in ran.err


class _SignsOnly:
    """A backend without optional powers."""

    name = "plain"
    uri_schemes = ("plain",)

    def open(self, reference: str, context: BackendContext) -> object:  # noqa: ARG002 (the port's)
        return self._session()

    @contextmanager
    def _session(self) -> Iterator[Signer]:
        yield _PlainSigner()  # type: ignore[misc] # it cannot sign, and is not asked to


class _PlainSigner:
    public_key = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    certificates = ()
    schemes = (Scheme.ECDSA_SHA256,)
    protection = Protection(ProtectionLevel.PROVIDER_ASSERTED, "a sketch")
    concurrency = 1
    max_message = 0


class _Registry:
    def backend(self, scheme: str) -> _SignsOnly:
        assert scheme == "plain"
        return _SignsOnly()


def _run_plain(*words: str) -> str:
    parser = argparse.ArgumentParser()
    key_command.add_arguments(parser)
    out = io.StringIO()
    environment = Environment(console=Console(out, io.StringIO()), environ={})
    environment.__dict__["registry"] = _Registry()
    assert key_command.run(parser.parse_args(words), environment) == 0
    return out.getvalue()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("generate", "plain:x"), "plain:x: the backend plain does not make keys"),
        (("list", "plain:x?a=b"), "plain:x: the backend plain does not list keys"),
        (("import-certificate", "plain:x", "f"), "does not keep certificates; name the file in the configuration"),
    ],
)
def test_a_power_that_a_backend_lacks_is_named(words: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UsageError, match=reason.replace("?", "\\?")):
        _run_plain(*words)


def test_a_key_that_cannot_be_listed_is_shown_by_opening_it() -> None:
    assert "provider-asserted: a sketch" in _run_plain("show", "plain:x")
    assert _run_plain("export-public", "plain:x").startswith("-----BEGIN PUBLIC KEY-----\n")
