"""The strict fakes of both services, for programs that know nothing of us to judge what is signed by them."""

from __future__ import annotations

from tests.peers.codesigning.conftest import timestamp_server
from tests.unit.services.conftest import artifact_signing, signserver, tls_folder

__all__ = ["artifact_signing", "signserver", "timestamp_server", "tls_folder"]
