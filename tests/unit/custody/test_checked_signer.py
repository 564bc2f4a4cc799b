from __future__ import annotations

import contextlib
import copy
import hashlib
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from hatch_sign.custody.checked_signer import CheckedSigner, open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import (
    CredentialRotatedError,
    CustodyError,
    HatchSignError,
    PluginError,
    SecretRejectedError,
    UnsupportedError,
    WrongSignatureError,
)
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign.values.public_keys import hash_algorithm, verify_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.public_keys import PublicKey

_TOKEN = "hvs." + "credential"


class VendorError(Exception):
    """What a vendor's library raises, the credential in its text."""


class EcSigner:
    """A key in memory, honest unless told otherwise: `answer` replaces what it returns."""

    certificates: Sequence[Certificate] = ()
    schemes: Sequence[Scheme] = (Scheme.ECDSA_SHA256,)
    protection = Protection(ProtectionLevel.SOFTWARE, "a test")
    concurrency = 2
    max_message = 0

    def __init__(self, answer: Callable[[EcSigner, bytes], object] | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._answer = answer or EcSigner.honest
        self.under_way = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    @property
    def public_key(self) -> PublicKey:
        return self.key.public_key()

    def honest(self, digest: bytes) -> bytes:
        return self.key.sign(digest, ec.ECDSA(utils.Prehashed(hash_algorithm("sha256"))))

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        assert scheme is Scheme.ECDSA_SHA256
        with self._lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return self._answer(self, digest)  # type: ignore[return-value] # some lie
        finally:
            with self._lock:
                self.under_way -= 1

    def sign_message(self, message: bytes) -> bytes:
        raise AssertionError(message)


class EdSigner(EcSigner):
    """The same for messages of at most 8 bytes."""

    schemes = (Scheme.ED25519,)
    max_message = 8

    def __init__(self) -> None:
        super().__init__()
        self._ed = ed25519.Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> PublicKey:
        return self._ed.public_key()

    def sign_message(self, message: bytes) -> bytes:
        return self._ed.sign(message)


def _fail(*_: object) -> NoReturn:
    message = f"X-Vault-Token: {_TOKEN}"
    raise VendorError(message)


def _checked(answer: Callable[[EcSigner, bytes], object] | None = None) -> CheckedSigner:
    return CheckedSigner(EcSigner(answer), reference="sketch:release?pin-source=env:PIN")


def test_a_checked_signature_verifies() -> None:
    checked = _checked()
    for signature in (
        checked.sign(b"x", Scheme.ECDSA_SHA256),
        checked.sign_digest(hashlib.sha256(b"x").digest(), Scheme.ECDSA_SHA256),
    ):
        assert verify_message(checked.public_key, signature, b"x", Scheme.ECDSA_SHA256)
        assert not verify_message(checked.public_key, signature, b"y", Scheme.ECDSA_SHA256)
    assert checked.calls == 2
    assert checked.reference == "sketch:release"


@pytest.mark.parametrize(
    "answer",
    [
        lambda _signer, _digest: b"",
        lambda _signer, _digest: None,
        lambda _signer, _digest: "text",
        lambda signer, _digest: signer.honest(bytes(32)),
        lambda signer, digest: signer.honest(digest) + b"\0",
        lambda signer, digest: bytearray(signer.honest(digest)),
        lambda _signer, digest: EcSigner().honest(digest),
    ],
    ids=["empty", "none", "text", "another digest", "trailing byte", "not bytes", "another key"],
)
def test_what_is_no_signature_by_this_key_is_refused(answer: Callable[[EcSigner, bytes], object]) -> None:
    checked = _checked(answer)
    with pytest.raises(WrongSignatureError, match="sketch:release: what came back"):
        checked.sign(b"x", Scheme.ECDSA_SHA256)
    assert checked.calls == 1


@pytest.mark.parametrize("size", [0, 20, 31, 33, 48, 64])
def test_a_digest_of_another_length_is_not_sent(size: int) -> None:
    checked = _checked()
    with pytest.raises(UnsupportedError, match=f"{size} bytes.*32 bytes"):
        checked.sign_digest(bytes(size), Scheme.ECDSA_SHA256)
    assert checked.calls == 0


@pytest.mark.parametrize("scheme", sorted(set(Scheme) - {Scheme.ECDSA_SHA256}, key=str))
def test_a_scheme_that_was_not_declared_is_not_sent(scheme: Scheme) -> None:
    checked = _checked()
    with pytest.raises(UnsupportedError, match="does not sign by"):
        checked.sign(b"x", scheme)
    assert checked.calls == 0


def test_messages_end_at_the_limit_of_the_backend() -> None:
    checked = CheckedSigner(EdSigner(), reference="sketch:ed")
    assert checked.sign(bytes(8), Scheme.ED25519)
    with pytest.raises(UnsupportedError, match=r"9 bytes.*at most 8"):
        checked.sign(bytes(9), Scheme.ED25519)
    with pytest.raises(UnsupportedError, match="no digest at all"):
        checked.sign_digest(bytes(32), Scheme.ED25519)
    assert checked.calls == 1


def test_never_more_calls_at_once_than_the_backend_takes() -> None:
    signer = EcSigner(lambda this, digest: threading.Event().wait(0.002) or this.honest(digest))
    checked = CheckedSigner(signer, reference="sketch:release")
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: checked.sign(b"x", Scheme.ECDSA_SHA256), range(24)))
    assert signer.most_at_once == 2
    assert checked.calls == 24


@pytest.mark.parametrize("concurrency", [0, -1, None, "2"])
def test_a_backend_that_takes_no_call_breaks_the_contract(concurrency: object) -> None:
    signer = EcSigner()
    signer.concurrency = concurrency  # type: ignore[assignment] # what no type allows
    with pytest.raises(PluginError, match="calls at once"):
        CheckedSigner(signer, reference="sketch:release")


def test_of_a_vendors_exception_only_the_type_is_named() -> None:
    checked = _checked(_fail)
    with pytest.raises(CustodyError, match=r"sketch:release: the backend failed \(VendorError\)") as caught:
        checked.sign(b"x", Scheme.ECDSA_SHA256)
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert _TOKEN not in repr(caught.value)


def test_the_chain_of_our_own_errors_is_cut() -> None:
    def leak(*_: object) -> NoReturn:
        try:
            _fail()
        except VendorError as error:
            message = "the service refused"
            raise CredentialRotatedError(message) from error

    with pytest.raises(CredentialRotatedError, match="the service refused") as caught:
        _checked(leak).sign(b"x", Scheme.ECDSA_SHA256)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_rotation_by_another_thread_is_a_rotation() -> None:
    def rotate(signer: EcSigner, digest: bytes) -> bytes:
        signer.key = ec.generate_private_key(ec.SECP256R1())
        return signer.honest(digest)

    with pytest.raises(CredentialRotatedError, match="changed its certificate"):
        _checked(rotate).sign(b"x", Scheme.ECDSA_SHA256)


def test_a_key_outside_the_table_is_refused() -> None:
    signer = EcSigner()
    signer.key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(UnsupportedError, match="secp256k1"):
        CheckedSigner(signer, reference="sketch:release").sign(b"x", Scheme.ECDSA_SHA256)


def test_the_handle_is_not_copied() -> None:
    for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(UnsupportedError, match="cannot be copied"):
            duplicate(_checked())


class _Backend:
    name = "sketch"
    uri_schemes = ("sketch",)

    def __init__(self, *, enter: Callable[[], object] = lambda: None, leave: Callable[[], object] = lambda: None) -> None:
        self.steps: list[str] = []
        self._enter, self._leave = enter, leave

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        assert reference.startswith("sketch:")
        assert context.environ == {}
        return self._session()

    @contextlib.contextmanager
    def _session(self) -> Iterator[Signer]:
        self._enter()
        self.steps.append("in")
        yield EcSigner()
        self.steps.append("out")
        self._leave()


def _context() -> tuple[RunContext, list[str]]:
    warnings: list[str] = []
    return RunContext({}, on_warning=warnings.append), warnings


def test_it_logs_in_and_out_and_refuses_afterwards() -> None:
    backend, (context, warnings) = _Backend(), _context()
    with open_signer(backend, "sketch:release", context) as checked:
        assert checked.sign(b"x", Scheme.ECDSA_SHA256)
        assert backend.steps == ["in"]
    assert backend.steps == ["in", "out"]
    assert not warnings
    for use in (lambda: checked.sign(b"x", Scheme.ECDSA_SHA256), lambda: checked.public_key, lambda: checked.protection):
        with pytest.raises(CustodyError, match="was closed"):
            use()


def test_it_logs_out_when_the_body_fails_and_the_body_is_heard() -> None:
    backend, (context, warnings) = _Backend(leave=_fail), _context()
    with pytest.raises(ZeroDivisionError), open_signer(backend, "sketch:release", context):
        raise ZeroDivisionError
    assert backend.steps == ["in", "out"]
    assert len(warnings) == 1
    assert "VendorError" in warnings[0]
    assert _TOKEN not in warnings[0]


def test_a_login_that_fails_shows_nothing_of_the_vendor() -> None:
    with (
        pytest.raises(CustodyError, match="VendorError") as caught,
        open_signer(_Backend(enter=_fail), "sketch:r?a=b", _context()[0]),
    ):
        pass
    assert caught.value.__context__ is None
    assert "a=b" not in str(caught.value)


def test_a_logout_that_fails_is_told() -> None:
    with (
        pytest.raises(CustodyError, match="VendorError"),
        open_signer(_Backend(leave=_fail), "sketch:release", _context()[0]),
    ):
        pass


def test_errors_of_ours_keep_their_kind() -> None:
    def refuse() -> NoReturn:
        message = "the PIN is wrong"
        raise SecretRejectedError(message)

    with pytest.raises(SecretRejectedError), open_signer(_Backend(enter=refuse), "sketch:release", _context()[0]):
        pass
    assert issubclass(SecretRejectedError, HatchSignError)


class HashingSigner(EcSigner):
    """A token that signs by ECDSA only what it has hashed itself, of at most 8 bytes."""

    schemes = ()
    message_schemes = (Scheme.ECDSA_SHA256,)
    max_message = 8

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        raise AssertionError(digest, scheme)

    def sign_hashing(self, message: bytes, scheme: Scheme) -> bytes:
        return super().sign_digest(hashlib.new(str(scheme.hash), message).digest(), scheme)


def test_a_token_that_hashes_itself_is_sent_small_messages_and_no_digests() -> None:
    checked = CheckedSigner(HashingSigner(), reference="sketch:release")
    assert checked.schemes == (Scheme.ECDSA_SHA256,)
    assert not checked.takes_digests(Scheme.ECDSA_SHA256)
    assert verify_message(
        checked.public_key, checked.sign(b"8 bytes.", Scheme.ECDSA_SHA256), b"8 bytes.", Scheme.ECDSA_SHA256
    )
    with pytest.raises(UnsupportedError, match=r"9 bytes .* at most 8"):
        checked.sign(b"9 bytes..", Scheme.ECDSA_SHA256)
    with pytest.raises(UnsupportedError, match="hashes what it signs"):
        checked.sign_digest(bytes(32), Scheme.ECDSA_SHA256)
    assert checked.calls == 1


def test_a_wrong_signature_of_a_token_that_hashes_itself_is_refused() -> None:
    checked = CheckedSigner(HashingSigner(lambda signer, _: signer.honest(bytes(32))), reference="sketch:release")
    with pytest.raises(WrongSignatureError):
        checked.sign(b"message", Scheme.ECDSA_SHA256)
