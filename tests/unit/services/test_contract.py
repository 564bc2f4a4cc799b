"""The contract of a backend, over the fakes of both services."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign_services.artifact_signing import ArtifactSigningBackend
from hatch_sign_services.signserver import SignServerBackend

from .conftest import KINDS, ArtifactSigningRig, SignServerRig
from .fake_artifact_signing import TOKEN

if TYPE_CHECKING:
    from hatch_sign.contract.backends import BackendContext


class TestSignServer(BackendContract):
    algorithms = KINDS
    asks_for_secret: ClassVar[bool] = False  # the client has a certificate, whose key is not encrypted
    shows_keys_without_login: ClassVar[bool] = False  # a worker is told of by a signature only
    backend = pytest.fixture(lambda _self: SignServerBackend())
    absent_reference = pytest.fixture(
        lambda _self, signserver: signserver.reference().replace("workers/ecdsa-p256", "workers/99")
    )

    @pytest.fixture
    def context(self, signserver: SignServerRig) -> BackendContext:
        return signserver.context()

    @pytest.fixture
    def references(self, signserver: SignServerRig) -> dict[KeyAlgorithm, str]:
        return {kind: signserver.reference(kind.value) for kind in KINDS}


class TestArtifactSigning(BackendContract):
    algorithms = (KeyAlgorithm.RSA_3072,)
    secrets = (TOKEN,)
    asks_for_secret: ClassVar[bool] = False  # azure-identity finds the login
    backend = pytest.fixture(lambda _self: ArtifactSigningBackend())
    absent_reference = pytest.fixture(lambda _self, artifact_signing: f"{artifact_signing.reference}-gone")

    @pytest.fixture
    def context(self, artifact_signing: ArtifactSigningRig, monkeypatch: pytest.MonkeyPatch) -> BackendContext:
        # The fake has made a signature by the first time that it is asked: nothing is learned from waiting for it.
        monkeypatch.setattr("hatch_sign_services.artifact_signing.key._FIRST_PAUSE", 0.001)
        return artifact_signing.context()

    @pytest.fixture
    def references(self, artifact_signing: ArtifactSigningRig) -> dict[KeyAlgorithm, str]:
        return {KeyAlgorithm.RSA_3072: artifact_signing.reference}
