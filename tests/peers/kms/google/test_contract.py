"""The contract of a backend over Google Cloud KMS, on a gRPC channel to the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from cryptography.x509 import load_pem_x509_csr

from hatch_sign.contract.backends import Diagnoses, ImportsCertificates, ListsKeys, MakesKeys
from hatch_sign.custody.certificates import make_request
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import UnsupportedError
from hatch_sign_kms.google import GoogleBackend

from .rig import RING, Algorithm, KeyService, Level, Server, environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign.contract.backends import Backend, BackendContext

_NO_WARNING = list[str]().append
_FIRST = {
    KeyAlgorithm.ECDSA_P256: Algorithm.EC_SIGN_P256_SHA256,
    KeyAlgorithm.ECDSA_P384: Algorithm.EC_SIGN_P384_SHA384,
    KeyAlgorithm.RSA_3072: Algorithm.RSA_SIGN_PKCS1_3072_SHA256,
    KeyAlgorithm.RSA_4096: Algorithm.RSA_SIGN_PSS_4096_SHA512,
    KeyAlgorithm.ED25519: Algorithm.EC_SIGN_ED25519,
}
_RAW = {
    KeyAlgorithm.RSA_3072: Algorithm.RSA_SIGN_RAW_PKCS1_3072,
    KeyAlgorithm.RSA_4096: Algorithm.RSA_SIGN_PSS_4096_SHA256,
}


class GoogleContract(BackendContract):
    """All that both tables of algorithms have in common; each key is one version of one algorithm."""

    kinds: ClassVar[Mapping[KeyAlgorithm, int]]
    asks_for_secret: ClassVar[bool] = False

    @pytest.fixture
    def server(self) -> Iterator[Server]:
        service = KeyService()
        for kind, algorithm in self.kinds.items():
            service.add_key(RING, kind.value, algorithm, level=Level.HSM)
        with serving(service) as server:
            yield server

    @pytest.fixture
    def backend(self) -> Backend:
        return GoogleBackend()

    @pytest.fixture
    def context(self, server: Server) -> BackendContext:
        return RunContext(environment(server), on_warning=_NO_WARNING)

    @pytest.fixture
    def references(self) -> dict[KeyAlgorithm, str]:
        return {kind: f"gcpkms://{RING}/cryptoKeys/{kind.value}" for kind in self.kinds}

    @pytest.fixture
    def new_reference(self) -> str:
        return f"gcpkms://{RING}/cryptoKeys/new"

    def test_a_certificate_request_is_signed_inside(self, backend: Backend, reference: str, context: BackendContext) -> None:
        """Sign as the product does: not every RSA version signs by PKCS#1 v1.5 and SHA-256, which the suite asks for."""
        with open_signer(backend, reference, context) as checked:
            request = load_pem_x509_csr(make_request(checked, "CN=Example"))
            assert request.is_signature_valid
            assert request.public_key() == checked.public_key
            assert checked.calls == 1


class TestGoogle(GoogleContract):
    kinds = _FIRST
    algorithms = tuple(_FIRST)

    def test_its_powers(self, backend: Backend) -> None:
        assert isinstance(backend, MakesKeys)
        assert isinstance(backend, ListsKeys)
        assert isinstance(backend, Diagnoses)
        assert not isinstance(backend, ImportsCertificates)

    def test_what_the_service_lacks_is_refused(self, backend: Backend, context: BackendContext, new_reference: str) -> None:
        assert isinstance(backend, MakesKeys)
        with pytest.raises(UnsupportedError, match="makes no ecdsa-p521 keys; choose among ecdsa-p256"):
            backend.generate_key(new_reference, KeyAlgorithm.ECDSA_P521, context)


class TestGoogleRawAndOtherHashes(GoogleContract):
    kinds = _RAW
    algorithms = tuple(_RAW)
