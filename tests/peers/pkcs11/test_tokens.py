"""Proves the rigs with OpenSC and openssl, before anything of hatch-sign is asked: a token signs, and leaves nothing."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from hatch_sign.values.algorithms import KeyAlgorithm

from .. import rigs
from .tokens import RealToken, TokenName, real_token, remoting, require_token, start_token
from .tokens.processes import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    KeyAlgorithm.ECDSA_P256: ("EC:prime256v1", "ECDSA", b""),
    KeyAlgorithm.RSA_3072: ("rsa:3072", "RSA-PKCS", bytes.fromhex("3031300d060960864801650304020105000420")),
}
"""As pkcs11-tool names the key and the mechanism, and what stands before the digest (RFC 8017 §9.2, note 1)."""


@pytest.fixture(scope="module", params=TokenName, ids=str)
def token(request: pytest.FixtureRequest) -> Iterator[RealToken]:
    with start_token(request.param) as token:
        yield token


def test_the_token_is_there(token: RealToken) -> None:
    listed = token.pkcs11_tool("--list-slots").stdout
    assert f"token label        : {token.label}\n" in listed
    assert "PIN initialized" in listed


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_signs_is_accepted_by_openssl(token: RealToken, kind: KeyAlgorithm, tmp_path: Path) -> None:
    name, mechanism, prefix = KINDS[kind]
    key_id = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    made = token.as_user("--keypairgen", "--key-type", name, "--label", kind.value, "--id", key_id, check=False)
    if kind not in token.algorithms:
        assert made.returncode != 0
        assert "not supported" in made.stderr
        return
    assert made.returncode == 0, made.stderr
    artifact, signed, signature = tmp_path / "artifact", tmp_path / "signed", tmp_path / "signature"
    artifact.write_bytes(b"what is released\n")
    signed.write_bytes(prefix + hashlib.sha256(artifact.read_bytes()).digest())
    files = ["--input-file", signed, "--output-file", signature]
    encoding = ["--signature-format", "openssl"] if mechanism == "ECDSA" else []
    token.as_user("--sign", "--mechanism", mechanism, "--id", key_id, *files, *encoding)
    public = exported(token, key_id, tmp_path)
    accepted = rigs.openssl_verify(artifact, signature.read_bytes(), public, "sha256")
    assert accepted.accepted, accepted.output
    artifact.write_bytes(b"what is not released\n")
    refused = rigs.openssl_verify(artifact, signature.read_bytes(), public, "sha256")
    assert "Verification failure" in refused.output


def exported(token: RealToken, key_id: str, folder: Path) -> Path:
    """Return the public key in PEM, as pkcs11-tool reads it."""
    der, pem = folder / "public.der", folder / "public.pem"
    token.as_user("--read-object", "--type", "pubkey", "--id", key_id, "--output-file", der)
    pem.write_bytes(load_der_public_key(der.read_bytes()).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return pem


def test_a_wrong_pin_is_refused(token: RealToken) -> None:
    refused = token.pkcs11_tool("--token-label", token.label, "--login", "--pin", "Wr0ng-1n", "--list-objects", check=False)
    assert refused.returncode != 0
    assert "CKR_PIN_INCORRECT" in refused.stderr


@pytest.mark.parametrize("fails", [False, True], ids=["left", "failed"])
@pytest.mark.parametrize("name", TokenName, ids=str)
def test_nothing_remains(name: TokenName, fails: bool) -> None:  # noqa: FBT001 - a parameter
    ending = pytest.raises(InterruptedError) if fails else contextlib.nullcontext()
    with ending, start_token(name) as token:
        assert token.folder.is_dir()
        assert bool(processes_of(token.folder)) == (name is not TokenName.SOFTHSM)
        assert token.pkcs11_tool("--list-slots").returncode == 0
        if fails:
            raise InterruptedError
    assert not token.folder.exists()
    assert processes_of(token.folder) == []


@pytest.mark.parametrize("place", ["/run/pkcsslotd.socket", "/run/pkcsslotd.pid", "/var/log/opencryptoki"])
def test_opencryptoki_touches_nothing_of_the_machine(place: str) -> None:
    present = Path(place).exists()
    with start_token(TokenName.OPENCRYPTOKI) as token:
        assert Path(place).exists() == present
        seen = token.command("test", "-e", place)
        assert subprocess.run(seen, check=False).returncode == 0


def test_a_killed_server_is_gone_and_comes_back() -> None:
    with remoting.remote_server() as server:
        assert server.token.pkcs11_tool("--list-slots").returncode == 0
        server.kill()
        assert processes_of(server.folder) == []
        lost = server.token.pkcs11_tool("--list-slots", check=False)
        assert server.token.label not in lost.stdout
        server.start()
        assert server.token.label in server.token.pkcs11_tool("--list-slots").stdout


@pytest.mark.parametrize("name", TokenName, ids=str)
def test_a_missing_token_skips_or_under_ci_fails(name: TokenName, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_token, "_in_library_folders", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"bash tests/peers/install\.sh tokens"):
        require_token(name)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"bash tests/peers/install\.sh tokens"):
        require_token(name)
