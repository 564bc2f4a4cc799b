"""The backend contract over OpenBao's real server, with all six kinds of key, under either scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.vault.rig import ROOT_TOKEN, Server, openbao, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WRONG_TOKEN = "wrong-token-of-the-tests"  # noqa: S105 - no output may show it


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openbao(tmp_path_factory.mktemp("openbao")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process
        for algorithm in KeyAlgorithm:
            server.make_key(f"contract-{algorithm.value}", algorithm.value)
        yield server


class TestOpenBao(BackendContract):
    """A token from the environment."""

    secrets = (ROOT_TOKEN, WRONG_TOKEN)
    shows_keys_without_login = False
    backend = pytest.fixture(lambda _self: VaultBackend())

    @pytest.fixture
    def context(self, server: Server, tmp_path: Path) -> RunContext:
        return RunContext(settings(server.url, tmp_path), on_warning=pytest.fail)

    @pytest.fixture
    def wrong_context(self, server: Server, tmp_path: Path) -> RunContext:
        return RunContext(settings(server.url, tmp_path, WRONG_TOKEN), on_warning=pytest.fail)

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {algorithm: f"openbao://contract-{algorithm.value}" for algorithm in self.algorithms}

    @pytest.fixture
    def new_reference(self) -> str:
        return f"openbao://new-{uuid4()}"


class TestVaultsNames(TestOpenBao):
    """The same server by the names of HashiCorp's tools, and a token from a file."""

    algorithms = (KeyAlgorithm.ECDSA_P256,)

    @pytest.fixture
    def context(self, server: Server, tmp_path: Path) -> RunContext:
        return self._stored(server, tmp_path / "right", ROOT_TOKEN)

    @pytest.fixture
    def wrong_context(self, server: Server, tmp_path: Path) -> RunContext:
        return self._stored(server, tmp_path / "wrong", WRONG_TOKEN)

    @pytest.fixture
    def references(self) -> Mapping[KeyAlgorithm, str]:
        return {KeyAlgorithm.ECDSA_P256: "hashivault://contract-ecdsa-p256"}

    @staticmethod
    def _stored(server: Server, home: Path, token: str) -> RunContext:
        home.mkdir()
        (home / ".vault-token").write_text(token + "\n")
        (home / ".vault-token").chmod(0o600)
        return RunContext({"VAULT_ADDR": server.url, "HOME": str(home)}, on_warning=pytest.fail)
