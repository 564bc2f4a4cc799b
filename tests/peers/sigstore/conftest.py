"""One Sigstore of the tests for all of them: a fault ends with its block."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..loopback import LoopbackSigstore, loopback_sigstore


@pytest.fixture(scope="session")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback_sigstore() as running:
        yield running
