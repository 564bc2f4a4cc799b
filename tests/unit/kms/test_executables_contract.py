"""The contract of a backend, over a real executable that speaks the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign_kms.executables import ExecutableBackend

from .executables_rig import TOKEN, Rig, install

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hatch_sign.contract.backends import Backend, BackendContext


class TestExecutables(BackendContract):
    # One kind of each: the executable treats the others alike, and every call of it costs a process.
    algorithms = (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519)
    secrets: ClassVar[tuple[str, ...]] = (TOKEN,)
    asks_for_secret: ClassVar[bool] = False

    @pytest.fixture
    def rig(self, tmp_path: Path) -> Rig:
        return install(tmp_path)

    @pytest.fixture
    def backend(self) -> Backend:
        return ExecutableBackend()

    @pytest.fixture
    def context(self, rig: Rig) -> BackendContext:
        return rig.context()

    @pytest.fixture
    def references(self, rig: Rig) -> dict[KeyAlgorithm, str]:
        return {kind: rig.reference(kind) for kind in self.algorithms}

    @pytest.fixture
    def new_reference(self, rig: Rig) -> str:
        return f"localkeys://{rig.folder}/new.pem"

    def test_it_says_what_it_opens(self, backend: Backend, references: Mapping[KeyAlgorithm, str]) -> None:
        """The registry knows which names the environment allows: the backend has one scheme, and no reference has it."""
        assert backend.uri_schemes == ("sigstore-kms",)
        assert {reference.partition(":")[0] for reference in references.values()} == {"localkeys"}
