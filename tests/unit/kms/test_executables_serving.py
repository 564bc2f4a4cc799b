"""Keys of hatch-sign lent to others by ``sigstore-kms-hatchsign``."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.backends.emulated.tokens import create_token
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.public_keys import parse_public_key, verify_digest, verify_message
from hatch_sign_kms.executables import ExecutableBackend, answers
from hatch_sign_kms.executables.calls import VERSION, Call, encode_call
from hatch_sign_kms.executables.serving import LARGEST_MESSAGE, serve

from ..registry.distributions import write_distribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.values.public_keys import PublicKey

MESSAGE = b"what cosign signs"
PIN = "31-right"
HASHED = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_3072)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make an emulated token with a key of each kind under test, named after it."""
    environ = {"HATCH_SIGN_HOME": str(tmp_path_factory.mktemp("home")), "HATCH_SIGN_PIN": PIN}
    create_token("release", pin=PIN, so_pin="99-officer", environ=environ)
    context = RunContext(environ, on_warning=print)
    for kind in (*HASHED, KeyAlgorithm.ED25519):
        EmulatedBackend().generate_key(reference(kind), kind, context)
    return environ


def reference(kind: KeyAlgorithm | str) -> str:
    return f"emulated:release/{kind if isinstance(kind, str) else kind.value}"


def ask(call: Call, environ: Mapping[str, str], message: bytes = MESSAGE) -> bytes:
    answer, status = serve([VERSION, encode_call(call)], io.BytesIO(message), environ)
    assert status == 0, answer
    return answer


def refused(call: Call, environ: Mapping[str, str], message: bytes = MESSAGE) -> str:
    answer, status = serve([VERSION, encode_call(call)], io.BytesIO(message), environ)
    assert status == 1
    (error,) = json.loads(answer).values()
    assert PIN not in error
    return str(error)


def public_key(kind: KeyAlgorithm, environ: Mapping[str, str]) -> PublicKey:
    pem = answers.parse_public_key_answer(ask(Call("publicKey", reference(kind)), environ))
    return parse_public_key(pem, subject="test")


@pytest.mark.parametrize("kind", HASHED)
@pytest.mark.parametrize("hash_name", ["sha256", "sha384"])
def test_a_digest_or_a_message_is_signed_by_the_hash_that_is_asked_for(
    kind: KeyAlgorithm, hash_name: str, environ: dict[str, str]
) -> None:
    if (kind, hash_name) == (KeyAlgorithm.ECDSA_P256, "sha384"):
        assert "does not sign a digest of sha384" in refused(Call("signMessage", reference(kind), hash_name), environ)
        return
    digest = hashlib.new(hash_name, MESSAGE).digest()
    scheme = Scheme(("rsa-pkcs1" if kind is KeyAlgorithm.RSA_3072 else "ecdsa", hash_name))
    hashed = ask(Call("signMessage", reference(kind), hash_name, digest), environ, b"not looked at")
    streamed = ask(Call("signMessage", reference(kind), hash_name), environ)
    for answer in (hashed, streamed):
        assert verify_digest(public_key(kind, environ), answers.parse_signature(answer), digest, scheme)
    other = answers.parse_signature(ask(Call("signMessage", reference(kind), hash_name), environ, b"something else"))
    assert not verify_digest(public_key(kind, environ), other, digest, scheme)


@pytest.mark.parametrize("hash_name", [None, "sha256"])
def test_an_ed25519_key_signs_the_message(hash_name: str | None, environ: dict[str, str]) -> None:
    call = Call("signMessage", reference(KeyAlgorithm.ED25519), hash_name)
    signature = answers.parse_signature(ask(call, environ))
    assert verify_message(public_key(KeyAlgorithm.ED25519, environ), signature, MESSAGE, Scheme.ED25519)


def test_an_ed25519_key_signs_no_digest_and_no_large_message(environ: dict[str, str]) -> None:
    key = reference(KeyAlgorithm.ED25519)
    assert "it signs by ed25519" in refused(Call("signMessage", key, "sha512", bytes(64)), environ)
    assert f"messages of at most {LARGEST_MESSAGE} bytes" in refused(
        Call("signMessage", key, None), environ, bytes(LARGEST_MESSAGE + 1)
    )


@pytest.mark.parametrize("kind", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ED25519])
def test_a_signature_is_verified(kind: KeyAlgorithm, environ: dict[str, str]) -> None:
    signature = answers.parse_signature(ask(Call("signMessage", reference(kind)), environ))
    call = Call("verifySignature", reference(kind), signature=signature)
    assert json.loads(ask(call, environ)) == {"verifySignature": {}}
    assert "not a signature by this key" in refused(call, environ, b"something else")


def test_keys_are_made_by_the_names_that_are_offered(environ: dict[str, str]) -> None:
    key = reference("made")
    names = answers.parse_algorithms(ask(Call("supportedAlgorithms", key), environ))
    assert names == [kind.value for kind in KeyAlgorithm]
    default = json.loads(ask(Call("defaultAlgorithm", key), environ))["defaultAlgorithm"]["defaultAlgorithm"]
    assert default in names
    made = answers.parse_created_key(ask(Call("createKey", key, algorithm=default), environ))
    assert made == answers.parse_public_key_answer(ask(Call("publicKey", key), environ))
    assert "already" in refused(Call("createKey", key, algorithm=default), environ)
    assert "no rsa-1024 key can be made here" in refused(Call("createKey", key, algorithm="rsa-1024"), environ)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (Call("publicKey", "nowhere:key"), "no backend named 'nowhere' is installed"),
        (Call("publicKey", "key"), "not of the form SCHEME:PATH"),
        (Call("publicKey", "emulated:release/lost"), "lost"),
        (Call("exportPrivateKey", "emulated:release/ecdsa-p256"), "the method exportPrivateKey is none of createKey"),
        (Call("publicKey", "localkeys:///key.pem"), "no backend named 'localkeys' is installed"),
    ],
)
def test_what_cannot_be_is_an_answer_that_says_why(call: Call, reason: str, environ: dict[str, str]) -> None:
    assert reason in refused(call, {**environ, "HATCH_SIGN_ALLOW_KMS": "localkeys"})


def test_a_wrong_pin_is_an_answer_too(environ: dict[str, str]) -> None:
    error = refused(Call("signMessage", reference(KeyAlgorithm.ECDSA_P256)), {**environ, "HATCH_SIGN_PIN": "wrong"})
    assert "the PIN is wrong" in error
    ask(Call("signMessage", reference(KeyAlgorithm.ECDSA_P256)), environ)


@pytest.mark.parametrize("arguments", [[], ["v1"], ["v2", "{}"], ["--help"], ["v1", "{}", "more"]])
def test_a_person_who_runs_it_is_told_what_it_is(arguments: list[str]) -> None:
    answer, status = serve(arguments, io.BytesIO(), {})
    assert status == 1
    assert "cosign sign-blob --key hatchsign://REFERENCE" in json.loads(answer)["errorMessage"]


def test_a_failure_of_ours_shows_its_type_only(environ: dict[str, str]) -> None:
    class Broken(io.BytesIO):
        def getbuffer(self) -> memoryview:
            raise RuntimeError(PIN)

    call = Call("signMessage", reference(KeyAlgorithm.ECDSA_P256))
    answer, status = serve([VERSION, encode_call(call)], Broken(), environ)
    assert (json.loads(answer), status) == ({"errorMessage": "hatch-sign failed: RuntimeError"}, 1)


HASHES_ITSELF = """\
from contextlib import contextmanager
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hatch_sign.contract import hookimpl
from hatch_sign.values.algorithms import Scheme

KEY = ec.generate_private_key(ec.SECP256R1())

class Signer:
    public_key, certificates, concurrency, max_message = KEY.public_key(), (), 1, 4096
    schemes, message_schemes = (), (Scheme.ECDSA_SHA256,)

    def sign_hashing(self, message, scheme):
        return KEY.sign(message, ec.ECDSA(SHA256()))

class Backend:
    name, uri_schemes = "example", ("example",)

    @contextmanager
    def open(self, reference, context):
        yield Signer()

@hookimpl
def hatch_sign_register_backend():
    return Backend()
"""


def test_a_key_that_hashes_itself_is_sent_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    write_distribution(tmp_path, "hashes-itself", entry_points={"backend.example": "{module}"}, source=HASHES_ITSELF)
    key = parse_public_key(answers.parse_public_key_answer(ask(Call("publicKey", "example:key"), {})), subject="test")
    digest = hashlib.sha256(MESSAGE).digest()
    with_digest = Call("signMessage", "example:key", digest=digest)
    for call in (with_digest, Call("signMessage", "example:key")):
        assert verify_digest(key, answers.parse_signature(ask(call, {})), digest, Scheme.ECDSA_SHA256)
    assert "was sent a digest alone" in refused(with_digest, {}, b"")


def test_our_own_client_speaks_to_it(environ: dict[str, str], tmp_path: Path) -> None:
    """The client withholds HATCH_SIGN_*, so that the program of this test is told where the token is."""
    program = tmp_path / "sigstore-kms-hatchsign"
    lines = [f"os.environ[{name!r}] = {value!r}" for name, value in environ.items()]
    start = "from hatch_sign_kms.executables.serving import main"
    program.write_text("\n".join([f"#!{sys.executable}", "import os, sys", *lines, start, "sys.exit(main())"]))
    program.chmod(0o700)
    context = RunContext({"PATH": str(tmp_path), "HATCH_SIGN_ALLOW_KMS": "hatchsign"}, on_warning=print)
    key = reference(KeyAlgorithm.ECDSA_P384)
    with open_signer(ExecutableBackend(), f"hatchsign://{key}", context) as signer:
        assert signer.public_key == public_key(KeyAlgorithm.ECDSA_P384, environ)
        assert signer.sign(MESSAGE, Scheme.ECDSA_SHA384)
        assert signer.calls == 1
