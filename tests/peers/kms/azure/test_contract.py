"""The contract of a backend over Azure Key Vault, by HTTPS to the stand-in, logged in as a managed identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from hatch_sign.contract.backends import Diagnoses, ImportsCertificates, ListsKeys, MakesKeys
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import UnsupportedError
from hatch_sign_kms.azure import AzureBackend

from ..authority import make_loopback_certificate
from .rig import Server, VaultService, environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import Backend, BackendContext

    from ..authority import LoopbackCertificate

TOKEN, IDENTITY = "the-token-of-the-vault", "the-header-of-the-identity"
_NO_WARNING = list[str]().append
_KINDS = {
    KeyAlgorithm.ECDSA_P256: ("EC", "P-256"),
    KeyAlgorithm.ECDSA_P384: ("EC-HSM", "P-384"),
    KeyAlgorithm.ECDSA_P521: ("EC-HSM", "P-521"),
    KeyAlgorithm.RSA_3072: ("RSA", "3072"),
    KeyAlgorithm.RSA_4096: ("RSA-HSM", "4096"),
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> LoopbackCertificate:
    return make_loopback_certificate(tmp_path_factory.mktemp("tls"))


class TestAzure(BackendContract):
    algorithms = tuple(_KINDS)
    secrets: ClassVar[tuple[str, ...]] = (TOKEN, IDENTITY)
    asks_for_secret: ClassVar[bool] = False

    @pytest.fixture
    def server(self, certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        service = VaultService(token=TOKEN, identity=IDENTITY)
        for kind, (kty, size) in _KINDS.items():
            service.add_key(kind.value, kty, size)
        with serving(service, certificate) as server:
            for name, value in environment(service, certificate).items():
                monkeypatch.setenv(name, value)
            yield server

    @pytest.fixture
    def backend(self) -> Backend:
        return AzureBackend()

    @pytest.fixture
    def context(self, server: Server) -> BackendContext:
        del server
        return RunContext({}, on_warning=_NO_WARNING)

    @pytest.fixture
    def references(self, server: Server) -> dict[KeyAlgorithm, str]:
        return {kind: f"azurekms://{server.host}/{kind.value}" for kind in _KINDS}

    @pytest.fixture
    def new_reference(self, server: Server) -> str:
        return f"azurekms://{server.host}/new"

    def test_its_powers(self, backend: Backend) -> None:
        assert isinstance(backend, MakesKeys)
        assert isinstance(backend, ListsKeys)
        assert isinstance(backend, Diagnoses)
        assert not isinstance(backend, ImportsCertificates)

    def test_what_the_service_lacks_is_refused(self, backend: Backend, context: BackendContext, new_reference: str) -> None:
        assert isinstance(backend, MakesKeys)
        with pytest.raises(UnsupportedError, match="makes no ed25519 keys; choose among ecdsa-p256"):
            backend.generate_key(new_reference, KeyAlgorithm.ED25519, context)
