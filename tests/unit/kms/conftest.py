"""A certificate for servers on this machine, and a Vault that knows what a test tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.remote import NetworkLimits
from hatch_sign_kms.vault import connection
from tests.peers.kms.authority import make_loopback_certificate
from tests.peers.kms.faults import Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers.kms.authority import LoopbackCertificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> LoopbackCertificate:
    return make_loopback_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Lend a server that knows only the answers that a test gives it, and is not waited for between attempts."""
    monkeypatch.setattr(connection, "LIMITS", NetworkLimits(first_pause=0.0, longest_pause=0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process
    with proxied("http://127.0.0.1:9") as proxy:
        yield proxy
