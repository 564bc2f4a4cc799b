"""What the tests beside it share: files of a signer and of a timestamp authority, and the authority itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authority import HolderFiles, code_signing_chain, make_tsa
from tests.peers.codesigning.tsa import TimestampServer


@pytest.fixture
def signer_files(tmp_path: Path) -> HolderFiles:
    """Return the files of an RSA key of 3072 bits under a chain of three certificates."""
    return code_signing_chain("rsa-3072").write(tmp_path, "signer")


@pytest.fixture
def tsa_files(tmp_path: Path) -> HolderFiles:
    """Return the files of the authority that `timestamp_server` is unless it is told otherwise."""
    return make_tsa().write(tmp_path, "tsa")


@pytest.fixture
def timestamp_server() -> Iterator[TimestampServer]:
    with TimestampServer() as server:
        yield server
