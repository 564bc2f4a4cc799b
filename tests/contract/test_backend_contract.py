"""The contract over the emulated token, and over two sketches of what other backends are like."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.backends.emulated.tokens import create_token
from hatch_sign.contract.backends import Backend, Diagnoses, ImportsCertificates, ListsKeys, MakesKeys
from hatch_sign.custody.checked_signer import CheckedSigner, open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CredentialRotatedError

from .sketches.pooled_backend import PIN, SESSIONS, PooledBackend, PooledSigner
from .sketches.rotating_backend import RotatingBackend, RotatingService

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NO_WARNING = list[str]().append


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    environ = {"HATCH_SIGN_HOME": str(home), "HATCH_SIGN_PIN": "right-pin-31"}
    create_token("contract", pin="right-pin-31", so_pin="so-pin-9", environ=environ)
    context = RunContext(environ, on_warning=_NO_WARNING)
    for algorithm in KeyAlgorithm:
        EmulatedBackend().generate_key(f"emulated:contract/{algorithm.value}", algorithm, context)
    return home


class TestEmulated(BackendContract):
    """All six kinds of key."""

    secrets = ("right-pin-31", "wrong-pin-27", "so-pin-9")

    @pytest.fixture
    def home(self, made: Path, tmp_path: Path) -> Path:
        (tmp_path / "tokens").mkdir(mode=0o700)
        copied = tmp_path / "tokens" / "contract.token"
        copied.write_bytes((made / "tokens" / "contract.token").read_bytes())
        copied.chmod(0o600)
        return tmp_path

    @pytest.fixture
    def backend(self) -> EmulatedBackend:
        return EmulatedBackend()

    @pytest.fixture
    def context(self, home: Path) -> RunContext:
        return RunContext({"HATCH_SIGN_HOME": str(home), "HATCH_SIGN_PIN": "right-pin-31"}, on_warning=_NO_WARNING)

    @pytest.fixture
    def wrong_context(self, home: Path) -> RunContext:
        return RunContext({"HATCH_SIGN_HOME": str(home), "HATCH_SIGN_PIN": "wrong-pin-27"}, on_warning=_NO_WARNING)

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {algorithm: f"emulated:contract/{algorithm.value}" for algorithm in KeyAlgorithm}

    @pytest.fixture
    def new_reference(self) -> str:
        return "emulated:contract/new"

    def test_it_has_every_optional_power(self, backend: Backend) -> None:
        assert isinstance(backend, MakesKeys)
        assert isinstance(backend, ListsKeys)
        assert isinstance(backend, ImportsCertificates)
        assert isinstance(backend, Diagnoses)


class TestPooled(BackendContract):
    """A token with four sessions."""

    algorithms = (KeyAlgorithm.ECDSA_P384, KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519)
    secrets = (PIN, "wrong-pin-27")

    @pytest.fixture
    def backend(self) -> PooledBackend:
        return PooledBackend()

    @pytest.fixture
    def context(self) -> RunContext:
        return RunContext({"POOLED_PIN": PIN}, on_warning=_NO_WARNING)

    @pytest.fixture
    def wrong_context(self) -> RunContext:
        return RunContext({"POOLED_PIN": "wrong-pin-27"}, on_warning=_NO_WARNING)

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {algorithm: f"pooled:{algorithm.value}" for algorithm in self.algorithms}

    def test_the_pool_was_filled_and_never_overrun(self, backend: PooledBackend, context: RunContext) -> None:
        with backend.open("pooled:rsa-3072", context) as signer:
            assert isinstance(signer, PooledSigner)
            checked = CheckedSigner(signer, reference="pooled:rsa-3072")
            with ThreadPoolExecutor(16) as pool:
                assert all(pool.map(lambda _: checked.sign(b"x", Scheme.RSA_PKCS1_SHA256), range(64)))
            assert signer.most_at_once <= SESSIONS


class TestRotating(BackendContract):
    """A service with a short-lived certificate."""

    algorithms = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072)
    asks_for_secret = False

    @pytest.fixture
    def service(self) -> RotatingService:
        return RotatingService()

    @pytest.fixture
    def backend(self, service: RotatingService) -> RotatingBackend:
        return RotatingBackend(service)

    @pytest.fixture
    def context(self) -> RunContext:
        return RunContext({}, on_warning=_NO_WARNING)

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {algorithm: f"rotating:{algorithm.value}" for algorithm in self.algorithms}

    def test_a_rotation_is_told_once_and_then_announced(
        self, backend: RotatingBackend, service: RotatingService, reference: str, context: RunContext
    ) -> None:
        with open_signer(backend, reference, context) as checked:
            scheme, before = checked.schemes[0], checked.certificates[0]
            service.generation += 1
            with pytest.raises(CredentialRotatedError) as caught:
                checked.sign(b"x", scheme)
            assert caught.value.__context__ is None
            assert checked.certificates[0] != before
            assert checked.certificates[0].public_key() == checked.public_key
            assert checked.sign(b"x", scheme)
