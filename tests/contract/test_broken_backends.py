"""The contract fails for backends that break it: each of these differs from the pooled sketch in one thing."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CustodyError, HatchSignError, SecretRejectedError

from .sketches.pooled_backend import PIN, PooledBackend, PooledSigner, VendorError
from .sketches.software_keys import PrivateKey, sign_digest, software_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, SecretRequest, Signer

_REFERENCE = "pooled:ecdsa-p384"
_ALGORITHM = KeyAlgorithm.ECDSA_P384
_KEY = software_key(_ALGORITHM)


class _Contract(BackendContract):
    algorithms = (_ALGORITHM,)
    secrets = (PIN, "wrong-pin-27")


def _context(pin: str = PIN) -> RunContext:
    return RunContext({"POOLED_PIN": pin}, on_warning=list[str]().append)


class _Backend(PooledBackend):
    """Opens whatever signer it is given, without a login."""

    def __init__(self, signer: type[PooledSigner]) -> None:
        self._signer = signer

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:  # noqa: ARG002 (the port's)
        return self._session()

    @contextmanager
    def _session(self) -> Iterator[Signer]:
        signer = self._signer(_KEY)
        yield signer
        signer.log_out()


class _SignsSomethingElse(PooledSigner):
    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        return super().sign_digest(hashlib.new(scheme.hash or "", digest).digest(), scheme)


class _SignsRaw(PooledSigner):
    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        return super().sign_digest(digest, scheme) + b"\0"


class _SignsByAnything(PooledSigner):
    schemes: Sequence[Scheme] = (Scheme.ECDSA_SHA384,)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        return sign_digest(_KEY, digest, scheme)


class _DeclaresTooMuch(PooledSigner):
    schemes: Sequence[Scheme] = (Scheme.ECDSA_SHA384, Scheme.RSA_PKCS1_SHA256)


class _NeverEnds(PooledSigner):
    def log_out(self) -> None:
        pass


class _CannotShare(PooledSigner):
    """Says that it has more sessions than it has, and lends each of them until one more is asked for."""

    concurrency = 8

    def __init__(self, key: PrivateKey) -> None:
        super().__init__(key)
        self._crowded = threading.Event()

    def _in_session(self, operation: Callable[[PrivateKey], bytes]) -> bytes:
        def held(key: PrivateKey) -> bytes:
            if not self._crowded.wait(30):
                self._crowded.set()  # nobody comes: the others need not wait as long
            return operation(key)

        try:
            return super()._in_session(held)
        except VendorError:
            self._crowded.set()
            raise


class _Leaks(PooledSigner):
    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        try:
            return super().sign_digest(digest, scheme)
        except HatchSignError:
            message = f"CKR_MECHANISM_INVALID pin={PIN}"
            raise VendorError(message) from None


class _Chains(PooledSigner):
    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        try:
            return super().sign_digest(digest, scheme)
        except HatchSignError as error:
            message = "it failed"
            raise CustodyError(message) from error


def _with_signer(test: Callable[..., None], broken: type[PooledSigner]) -> None:
    with _Backend(broken).open(_REFERENCE, _context()) as signer:
        test(_Contract(), signer)


def _with_backend(test: Callable[..., None], broken: type[PooledSigner]) -> None:
    test(_Contract(), _Backend(broken), _REFERENCE, _context())


@pytest.mark.parametrize(
    ("test", "broken"),
    [
        (BackendContract.test_every_declared_scheme_signs, _SignsSomethingElse),
        (BackendContract.test_signatures_are_encoded_as_the_port_wants, _SignsRaw),
        (BackendContract.test_every_other_scheme_is_refused, _SignsByAnything),
        (BackendContract.test_its_schemes_fit_the_key, _DeclaresTooMuch),
        (BackendContract.test_every_other_scheme_is_refused, _Leaks),
        (BackendContract.test_every_other_scheme_is_refused, _Chains),
    ],
)
def test_a_broken_signer_is_found(test: Callable[..., None], broken: type[PooledSigner]) -> None:
    _with_signer(test, PooledSigner)
    with pytest.raises((AssertionError, ValueError, VendorError, pytest.fail.Exception)):
        _with_signer(test, broken)


@pytest.mark.parametrize(
    ("test", "broken"),
    [
        (BackendContract.test_it_refuses_after_it_was_left, _NeverEnds),
        (BackendContract.test_nothing_happens_before_it_is_entered, PooledSigner),
        (BackendContract.test_a_pin_in_the_reference_is_refused, PooledSigner),
    ],
)
def test_a_broken_session_is_found(test: Callable[..., None], broken: type[PooledSigner]) -> None:
    """The backend of these tests neither asks for its PIN nor reads its reference; the sketch it stands for does both."""
    test(_Contract(), PooledBackend(), _REFERENCE, _context())
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _with_backend(test, broken)


def test_a_pool_that_is_smaller_than_it_says_is_found() -> None:
    takes_as_many_as_it_says = BackendContract().test_it_takes_as_many_calls_at_once_as_it_says
    with _Backend(PooledSigner).open(_REFERENCE, _context()) as signer:
        takes_as_many_as_it_says(signer, _context())
    with _Backend(_CannotShare).open(_REFERENCE, _context()) as signer, pytest.raises(VendorError):
        takes_as_many_as_it_says(signer, _context())


class _TriesAgain(PooledBackend):
    """Does not tell the run that the PIN was wrong, so that every key tries it again."""

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        class Silent:
            def secret(self, request: SecretRequest) -> str:
                return context.secret(request)

            def rejected(self, request: SecretRequest) -> None:
                """Say nothing."""

        return super().open(reference, Silent())  # type: ignore[arg-type] # the part that the sketch uses


def test_a_pin_that_is_tried_again_is_found() -> None:
    arguments = {_ALGORITHM: _REFERENCE}, _context("wrong-pin-27")
    _Contract().test_a_wrong_secret_is_tried_once(PooledBackend(), *arguments)
    with pytest.raises(AssertionError):
        _Contract().test_a_wrong_secret_is_tried_once(_TriesAgain(), arguments[0], _context("wrong-pin-27"))
    assert issubclass(SecretRejectedError, HatchSignError)
