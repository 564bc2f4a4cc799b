"""The signer over a provider's key, and the core around it."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.remote import CONCURRENCY, KeyFacts, open_remote_key, pool_size, service_protection
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CustodyError, UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import schemes_of_key
from tests.contract.sketches.software_keys import sign_digest, sign_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, Signer
    from hatch_sign.values.protection import Protection

DIGEST = bytes(32)


class LocalKey:
    """A provider's key without a network. `signs_with` is what the service really uses."""

    def __init__(self, algorithm: KeyAlgorithm, log: list[str]) -> None:
        self.key = self.signs_with = private_key(algorithm)
        self.log = log

    def describe(self) -> KeyFacts:
        self.log.append("describe")
        schemes = schemes_of_key(self.key.public_key())
        return KeyFacts(self.key.public_key(), schemes, 4096 if Scheme.ED25519 in schemes else 0)

    def protection(self) -> Protection:
        self.log.append("protection")
        claims = {"origin": "HSM", "exportable": False, "unsaid": None}
        return service_protection("in an HSM", claims, service="the example", plain_channel=False)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        self.log.append("sign")
        return sign_digest(self.signs_with, digest, scheme)

    def sign_message(self, message: bytes) -> bytes:
        self.log.append("sign")
        return sign_message(self.signs_with, message)


class LocalBackend:
    """Opens ``local:ALGORITHM``."""

    name = "local"
    uri_schemes = ("local",)

    def __init__(self) -> None:
        self.log: list[str] = []
        self.keys: list[LocalKey] = []

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        from hatch_sign.contract.references import parse_reference  # noqa: PLC0415 - as a plugin would

        name = parse_reference(reference).path
        return open_remote_key(lambda: self._connect(name), subject=reference, context=context)

    @contextmanager
    def _connect(self, name: str) -> Iterator[LocalKey]:
        self.log.append("connect")
        self.keys.append(LocalKey(KeyAlgorithm(name), self.log))
        try:
            yield self.keys[-1]
        finally:
            self.log.append("leave")


@pytest.fixture
def local() -> LocalBackend:
    return LocalBackend()


def make_context(concurrency: int = 8) -> RunContext:
    return RunContext({}, on_warning=pytest.fail, max_concurrency=concurrency)


class TestRemoteSigner(BackendContract):
    """The contract, with nothing but the shared part under it."""

    asks_for_secret = False
    context = pytest.fixture(lambda _self: make_context())
    algorithms = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519)

    @pytest.fixture
    def backend(self, local: LocalBackend) -> Backend:
        return local

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {algorithm: f"local:{algorithm.value}" for algorithm in self.algorithms}


def test_it_connects_when_it_is_entered_and_describes_once(local: LocalBackend) -> None:
    opened = local.open("local:ecdsa-p256", make_context())
    assert local.log == []
    with opened as signer:
        assert signer.public_key == signer.public_key
        assert signer.schemes
        assert local.log == ["connect", "describe"]
    assert local.log == ["connect", "describe", "leave"]


def test_protection_is_asked_for_once_and_only_where_it_is_read(local: LocalBackend) -> None:
    with local.open("local:ecdsa-p256", make_context()) as signer, ThreadPoolExecutor(8) as pool:
        assert "protection" not in local.log
        (protection,) = set(pool.map(lambda _: id(signer.protection), range(32)))
        assert protection == id(signer.protection)
        assert signer.protection.claims == {"origin": "HSM", "exportable": "false"}
    assert local.log.count("protection") == 1


def test_what_the_key_cannot_do_costs_no_call(local: LocalBackend) -> None:
    with local.open("local:ecdsa-p256", make_context()) as signer:
        for refused in (
            lambda: signer.sign_digest(DIGEST, Scheme.RSA_PSS_SHA256),
            lambda: signer.sign_digest(DIGEST, Scheme.ED25519),
            lambda: signer.sign_digest(DIGEST[:20], Scheme.ECDSA_SHA256),
            lambda: signer.sign_message(b"a message"),
            *(lambda copied=copied: copied(signer) for copied in (copy.copy, copy.deepcopy, pickle.dumps)),
        ):
            with pytest.raises(UnsupportedError, match="local:ecdsa-p256: "):
                refused()
    assert "sign" not in local.log


def test_a_service_that_signs_with_another_key_is_caught(local: LocalBackend) -> None:
    with open_signer(local, "local:ecdsa-p256", make_context()) as checked:
        assert checked.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
        local.keys[-1].signs_with = private_key(KeyAlgorithm.ECDSA_P384)
        with pytest.raises(WrongSignatureError, match="not a signature by this key"):
            checked.sign_digest(DIGEST, Scheme.ECDSA_SHA256)


def test_calls_overlap_up_to_the_concurrency_and_no_further(local: LocalBackend) -> None:
    everybody = threading.Barrier(4, timeout=120)
    with open_signer(local, "local:ecdsa-p256", make_context(4)) as checked, ThreadPoolExecutor(16) as pool:
        key, together, most = local.keys[-1], threading.Semaphore(4), []

        def sign(digest: bytes, scheme: Scheme) -> bytes:
            most.append(together.acquire(blocking=False))
            everybody.wait()  # Nobody signs before four are here: fewer at once would never end.
            together.release()
            return sign_digest(key.key, digest, scheme)

        key.sign_digest = sign  # type: ignore[method-assign] # the service, not our code
        assert len(list(pool.map(lambda _: checked.sign_digest(DIGEST, Scheme.ECDSA_SHA256), range(32)))) == 32
    assert all(most)


@pytest.mark.parametrize(("wanted", "given"), [(1, 1), (8, 8), (1000, CONCURRENCY)])
def test_connections_are_bounded(wanted: int, given: int) -> None:
    assert pool_size(make_context(wanted)) == given


def test_it_is_left_though_describing_fails(local: LocalBackend) -> None:
    def fail() -> KeyFacts:
        message = "no such key"
        raise CustodyError(message)

    @contextmanager
    def connect() -> Iterator[LocalKey]:
        with local._connect("ecdsa-p256") as key:
            key.describe = fail  # type: ignore[method-assign] # as above
            yield key

    with pytest.raises(CustodyError, match="no such key"), open_remote_key(connect, subject="x", context=make_context()):
        pass
    assert local.log == ["connect", "leave"]
