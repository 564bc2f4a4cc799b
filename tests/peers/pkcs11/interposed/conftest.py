"""A token behind the interposer, with a key for ECDSA and one for RSA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign_pkcs11 import Pkcs11Backend

from ..interposer import Interposer, build_interposer, interposed_token
from .signing import (
    context,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_interposer(tmp_path_factory.mktemp("interposer"))


@pytest.fixture(scope="module")
def made(module: Path) -> Iterator[Interposer]:
    with interposed_token(module) as token:
        for algorithm in (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072):
            Pkcs11Backend().generate_key(token.reference(algorithm.value), algorithm, context())
        yield token


@pytest.fixture
def token(made: Interposer) -> Iterator[Interposer]:
    """Begin each test with a token that answers by itself, and count from there."""
    with pytest.MonkeyPatch.context() as patch:
        token = Interposer(made.module, made.folder, made.environ, patch)
        token.forget_calls()
        yield token
