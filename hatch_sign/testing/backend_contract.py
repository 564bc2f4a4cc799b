"""The contract of a backend, as tests. A plugin's tests subclass :class:`BackendContract` and run it unchanged.

::

    class TestMyBackend(BackendContract):
        algorithms = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072)
        secrets = ("1234",)

        @pytest.fixture
        def backend(self): ...
        @pytest.fixture
        def context(self): ...                      # hatch_sign.custody.context.RunContext, with the right PIN
        @pytest.fixture
        def references(self): ...                   # a key reference for each of the algorithms
"""

from __future__ import annotations

import copy
import hashlib
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils
from cryptography.x509.oid import NameOID

from hatch_sign.contract.backends import (
    Diagnoses,
    HashesMessages,
    ImportsCertificates,
    ListsKeys,
    MakesKeys,
    SecretRequest,
    Symptom,
)
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.private_key import as_private_key
from hatch_sign.testing.observed import ObservedContext, assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, HatchSignError, SecretRejectedError, UnsupportedError
from hatch_sign.values.protection import Protection
from hatch_sign.values.public_keys import describe_key, schemes_of_key, verify_digest, verify_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign.contract.backends import Backend, BackendContext, Signer
    from hatch_sign.custody.private_key import PrivateKey

_MESSAGE = b"what hatch-sign asks a backend to sign"
_OTHER = b"what it did not ask for"
_LARGEST_TRIED = 2**22
"""Bytes: a limit beyond it is believed, not tried."""
_ROUNDS = 4
_Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hatch-sign contract")])


class BackendContract:
    """What every backend keeps. Give the fixtures ``backend``, ``context`` and ``references``; see the module.

    `algorithms` are the kinds of key that ``references`` has one of each; `secrets` the PINs and credentials that no
    error may show. Where the backend asks for a secret, the fixture ``wrong_context`` lends a wrong one; where it makes
    keys, ``new_reference`` names one that is not there yet; where it diagnoses and makes none, ``absent_reference`` does.
    Where nobody can tell before a login that a key is absent, `shows_keys_without_login` is False, and a warning is due.
    """

    algorithms: ClassVar[tuple[KeyAlgorithm, ...]] = tuple(KeyAlgorithm)
    secrets: ClassVar[tuple[str, ...]] = ()
    asks_for_secret: ClassVar[bool] = True
    shows_keys_without_login: ClassVar[bool] = True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the tests of one key over each kind of key."""
        if "algorithm" in metafunc.fixturenames:
            metafunc.parametrize("algorithm", self.algorithms, ids=lambda algorithm: algorithm.value)

    @pytest.fixture
    def wrong_context(self) -> BackendContext | None:
        """Lend a wrong secret; None for a backend that asks for none."""
        return None

    @pytest.fixture
    def new_reference(self) -> str | None:
        """Name a key that may be made; None for a backend that makes none."""
        return None

    @pytest.fixture
    def absent_reference(self, new_reference: str | None) -> str | None:
        """Name a key that is not there, for a backend that diagnoses; by default the one that may be made."""
        return new_reference

    @pytest.fixture
    def reference(self, references: Mapping[KeyAlgorithm, str], algorithm: KeyAlgorithm) -> str:
        """Return the reference of the key under test."""
        return references[algorithm]

    @pytest.fixture
    def signer(self, backend: Backend, reference: str, context: BackendContext) -> Iterator[Signer]:
        """Open the key as the backend gives it, unchecked."""
        with backend.open(reference, context) as signer:
            yield signer

    # --- what it is ---------------------------------------------------------------------------------------------------

    def test_it_says_what_it_opens(self, backend: Backend, references: Mapping[KeyAlgorithm, str]) -> None:
        assert set(references) == set(self.algorithms)
        assert backend.name
        assert backend.uri_schemes
        assert all(scheme == scheme.lower() and ":" not in scheme for scheme in backend.uri_schemes)
        assert {reference.partition(":")[0] for reference in references.values()} <= set(backend.uri_schemes)

    def test_nothing_happens_before_it_is_entered(self, backend: Backend, reference: str, context: BackendContext) -> None:
        observed = ObservedContext(context)
        opened = backend.open(reference, observed)
        assert observed.untouched
        with opened:
            assert bool(observed.asked) == self.asks_for_secret

    def test_a_pin_in_the_reference_is_refused(self, backend: Backend, reference: str, context: BackendContext) -> None:
        joined = "&" if "?" in reference else "?"
        pin = str(70_815)  # Not in one piece here: a traceback shows this line.
        observed = ObservedContext(context)
        with pytest.raises(ConfigurationError) as caught, backend.open(f"{reference}{joined}pin-value={pin}", observed):
            pass
        assert observed.untouched
        assert_presentable(caught.value, (*self.secrets, pin))

    # --- what it signs ------------------------------------------------------------------------------------------------

    def test_the_key_is_of_its_kind(self, signer: Signer, algorithm: KeyAlgorithm) -> None:
        assert describe_key(signer.public_key) == algorithm.value

    def test_its_schemes_fit_the_key(self, signer: Signer) -> None:
        schemes = _declared(signer)
        assert schemes
        assert len(schemes) == len(set(schemes))
        assert set(schemes) <= set(schemes_of_key(signer.public_key))

    def test_every_declared_scheme_signs(self, signer: Signer) -> None:
        for scheme in _declared(signer):
            signature = _sign(signer, _MESSAGE, scheme)
            assert verify_message(signer.public_key, signature, _MESSAGE, scheme), scheme
            assert not verify_message(signer.public_key, signature, _OTHER, scheme), scheme

    def test_signatures_are_encoded_as_the_port_wants(self, signer: Signer) -> None:
        key = signer.public_key
        for scheme in _declared(signer):
            signature = _sign(signer, _MESSAGE, scheme)
            assert type(signature) is bytes
            if isinstance(key, ec.EllipticCurvePublicKey):
                assert utils.encode_dss_signature(*utils.decode_dss_signature(signature)) == signature
            else:
                assert len(signature) == (key.key_size // 8 if isinstance(key, rsa.RSAPublicKey) else 64)

    def test_every_other_scheme_is_refused(self, signer: Signer) -> None:
        for scheme in set(Scheme) - set(_declared(signer)):
            with pytest.raises(HatchSignError) as caught:
                _sign(signer, _MESSAGE, scheme)
            assert_presentable(caught.value, self.secrets)

    def test_the_core_refuses_other_schemes_and_lengths(
        self, backend: Backend, reference: str, context: BackendContext
    ) -> None:
        with open_signer(backend, reference, context) as checked:
            for scheme in Scheme:
                for size in {0, 20, 32, 48, 64} - ({_size(scheme)} if checked.takes_digests(scheme) else set()):
                    with pytest.raises(UnsupportedError):
                        checked.sign_digest(bytes(size), scheme)
            assert checked.calls == 0

    def test_messages_end_at_the_limit(self, backend: Backend, reference: str, context: BackendContext) -> None:
        with backend.open(reference, context) as signer:
            limit = signer.max_message
            of_messages = [scheme for scheme in _declared(signer) if scheme.hash is None or scheme not in signer.schemes]
            assert (limit > 0) == bool(of_messages)
        if 0 < limit <= _LARGEST_TRIED:
            with open_signer(backend, reference, context) as checked:
                assert checked.sign(bytes(limit), of_messages[0])
                with pytest.raises(UnsupportedError, match=str(limit)):
                    checked.sign(bytes(limit + 1), of_messages[0])
                assert checked.calls == 1

    def test_a_token_that_hashes_itself_signs_messages_only(self, signer: Signer) -> None:
        of_messages = list(signer.message_schemes) if isinstance(signer, HashesMessages) else []
        assert not set(of_messages) & set(signer.schemes)
        for scheme in of_messages:
            with pytest.raises(HatchSignError) as caught:
                signer.sign_digest(bytes(_size(scheme)), scheme)
            assert_presentable(caught.value, self.secrets)

    # --- how it is called ---------------------------------------------------------------------------------------------

    def test_it_takes_as_many_calls_at_once_as_it_says(self, signer: Signer, context: BackendContext) -> None:
        assert signer.concurrency >= 1
        scheme = _declared(signer)[0]
        workers = min(signer.concurrency, context.max_concurrency)
        messages = [b"message %d" % number for number in range(_ROUNDS * workers)]
        start = threading.Barrier(workers)

        def work(mine: list[bytes]) -> list[bytes]:
            start.wait()
            return [_sign(signer, message, scheme) for message in mine]

        with ThreadPoolExecutor(workers) as pool:
            batches = [messages[worker::workers] for worker in range(workers)]
            for mine, signatures in zip(batches, pool.map(work, batches), strict=True):
                for message, signature in zip(mine, signatures, strict=True):
                    assert verify_message(signer.public_key, signature, message, scheme)

    def test_the_core_never_calls_more_at_once(self, backend: Backend, reference: str, context: BackendContext) -> None:
        with open_signer(backend, reference, context) as checked, ThreadPoolExecutor(16) as pool:
            scheme = checked.schemes[0]
            assert all(pool.map(lambda number: checked.sign(b"%d" % number, scheme), range(32)))
            assert checked.calls == 32

    def test_it_refuses_after_it_was_left(self, backend: Backend, reference: str, context: BackendContext) -> None:
        with backend.open(reference, context) as signer:
            scheme = _declared(signer)[0]
        with pytest.raises(HatchSignError) as caught:
            _sign(signer, _MESSAGE, scheme)
        assert_presentable(caught.value, self.secrets)
        with backend.open(reference, context) as again:
            assert _sign(again, _MESSAGE, scheme)

    def test_two_sessions_do_not_end_each_other(self, backend: Backend, reference: str, context: BackendContext) -> None:
        with backend.open(reference, context) as outer:
            with backend.open(reference, context) as inner:
                assert inner.public_key == outer.public_key
            assert _sign(outer, _MESSAGE, _declared(outer)[0])

    def test_the_handle_is_not_copied(self, signer: Signer) -> None:
        for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises((HatchSignError, TypeError, pickle.PicklingError)):
                duplicate(signer)

    # --- what it tells ------------------------------------------------------------------------------------------------

    def test_certificates_are_those_of_the_key(self, signer: Signer) -> None:
        chain = list(signer.certificates)
        assert all(isinstance(certificate, x509.Certificate) for certificate in chain)
        assert not chain or chain[0].public_key() == signer.public_key
        assert all(child.issuer == issuer.subject for child, issuer in pairwise(chain))

    def test_it_says_how_the_key_is_kept(self, signer: Signer) -> None:
        assert isinstance(signer.protection, Protection)
        assert signer.protection.summary
        assert "\n" not in signer.protection.summary

    def test_a_certificate_request_is_signed_inside(self, backend: Backend, reference: str, context: BackendContext) -> None:
        with open_signer(backend, reference, context) as checked:
            key = as_private_key(checked)
            request = x509.CertificateSigningRequestBuilder().subject_name(_NAME).sign(key, _hash_for(key))
            assert request.is_signature_valid
            assert request.public_key() == checked.public_key
            assert checked.calls == 1

    # --- secrets ------------------------------------------------------------------------------------------------------

    def test_a_wrong_secret_is_tried_once(
        self, backend: Backend, references: Mapping[KeyAlgorithm, str], wrong_context: BackendContext | None
    ) -> None:
        assert (wrong_context is not None) == self.asks_for_secret
        if wrong_context is None:
            return
        observed = ObservedContext(wrong_context)
        for reference in list(references.values()) * 2:
            with pytest.raises(SecretRejectedError) as caught, backend.open(reference, observed):
                pass
            assert_presentable(caught.value, self.secrets)
        assert len(observed.rejections) == 1

    # --- optional powers ----------------------------------------------------------------------------------------------

    def test_the_keys_it_lists_are_the_keys_it_opens(
        self, backend: Backend, reference: str, context: BackendContext
    ) -> None:
        if not isinstance(backend, ListsKeys):
            assert not hasattr(backend, "list_keys")
            return
        (found,) = backend.list_keys(reference, context)
        assert isinstance(found.protection, Protection)
        with backend.open(found.reference, context) as signer:
            assert signer.public_key == found.public_key

    def test_a_key_that_it_makes_can_be_used_and_is_never_replaced(
        self, backend: Backend, context: BackendContext, new_reference: str | None, algorithm: KeyAlgorithm
    ) -> None:
        assert (new_reference is not None) == isinstance(backend, MakesKeys)
        if new_reference is None or not isinstance(backend, MakesKeys):
            return
        made = backend.generate_key(new_reference, algorithm, context)
        assert describe_key(made.public_key) == algorithm.value
        with pytest.raises(HatchSignError) as caught:
            backend.generate_key(new_reference, algorithm, context)
        assert_presentable(caught.value, self.secrets)
        with open_signer(backend, made.reference, context) as checked:
            assert checked.public_key == made.public_key
            assert checked.sign(_MESSAGE, checked.schemes[0])

    def test_a_certificate_that_it_takes_is_given_back(
        self, backend: Backend, reference: str, context: BackendContext
    ) -> None:
        if not isinstance(backend, ImportsCertificates):
            assert not hasattr(backend, "import_certificate")
            return
        with open_signer(backend, reference, context) as checked:
            certificate = _self_signed(as_private_key(checked))
        backend.import_certificate(reference, [certificate], context)
        with open_signer(backend, reference, context) as checked:
            assert list(checked.certificates) == [certificate]

    def test_nothing_is_wrong_with_a_key_that_is_there_and_no_secret_is_tried(
        self, backend: Backend, reference: str, context: BackendContext
    ) -> None:
        if not isinstance(backend, Diagnoses):
            assert not hasattr(backend, "diagnose")
            return
        observed = ObservedContext(context)
        found = list(backend.diagnose(reference, observed))
        assert observed.asked == observed.rejections == []
        requests = [each for each in found if isinstance(each, SecretRequest)]
        assert bool(requests) == self.asks_for_secret
        symptoms = [each for each in found if not isinstance(each, SecretRequest)]
        assert symptoms
        assert "failure" not in [symptom.status for symptom in symptoms]
        for symptom in symptoms:
            _assert_presentable_symptom(symptom, self.secrets)
        with backend.open(reference, observed):
            assert {_what_for(request) for request in observed.asked} == {_what_for(request) for request in requests}

    def test_a_key_that_is_not_there_ends_the_diagnosis(
        self, backend: Backend, context: BackendContext, absent_reference: str | None
    ) -> None:
        if not isinstance(backend, Diagnoses):
            return
        assert absent_reference is not None
        observed = ObservedContext(context)
        symptoms = [each for each in backend.diagnose(absent_reference, observed) if not isinstance(each, SecretRequest)]
        assert observed.asked == observed.rejections == []
        telling = "failure" if self.shows_keys_without_login else "warning"
        assert [symptom.status == "failure" for symptom in symptoms[:-1]] == [False] * (len(symptoms) - 1)
        assert symptoms[-1].status == telling
        assert symptoms[-1].remedy
        for symptom in symptoms:
            _assert_presentable_symptom(symptom, self.secrets)


def _declared(signer: Signer) -> list[Scheme]:
    """Return what the signer says that it signs by, whether it takes digests or hashes itself."""
    return [*signer.schemes, *(signer.message_schemes if isinstance(signer, HashesMessages) else ())]


def _sign(signer: Signer, message: bytes, scheme: Scheme) -> bytes:
    if scheme.hash is None:
        return signer.sign_message(message)
    if isinstance(signer, HashesMessages) and scheme in signer.message_schemes:
        return signer.sign_hashing(message, scheme)
    signature = signer.sign_digest(hashlib.new(scheme.hash, message).digest(), scheme)
    assert not verify_digest(signer.public_key, signature, hashlib.new(scheme.hash, _OTHER).digest(), scheme)
    return signature


def _what_for(request: SecretRequest) -> tuple[object, ...]:
    return request.kind, request.label, request.source, request.variables


def _assert_presentable_symptom(symptom: Symptom, secrets: tuple[str, ...]) -> None:
    assert symptom.status in {"ok", "warning", "failure"}
    assert symptom.subject
    assert symptom.found
    shown = f"{symptom.subject} {symptom.found} {symptom.remedy}"
    assert "\n" not in shown, "a symptom is one line"
    assert not any(secret and secret in shown for secret in secrets), "a symptom shows a secret"


def _size(scheme: Scheme) -> int:
    return hashlib.new(scheme.hash).digest_size if scheme.hash else -1


def _hash_for(key: PrivateKey) -> _Hash | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        by_size: dict[int, _Hash] = {256: hashes.SHA256(), 384: hashes.SHA384()}
        return by_size.get(key.key_size, hashes.SHA512())
    return hashes.SHA256()


def _self_signed(key: PrivateKey) -> x509.Certificate:
    builder = x509.CertificateBuilder(_NAME, _NAME, key.public_key(), 1000)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(key, _hash_for(key))
