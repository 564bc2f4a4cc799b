"""A certificate for loopback, from an authority of its own, as the stand-ins of services need one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class LoopbackCertificate:
    """`roots` is the authority's certificate in PEM, `chain` the server's, `key` its private key."""

    roots: Path
    chain: Path
    key: Path
    both: Path


def make_loopback_certificate(folder: Path) -> LoopbackCertificate:
    """Write a certificate for 127.0.0.1 and its authority into `folder`."""
    authority = Authority("loopback authority")
    server = authority.server()
    written = {"roots": authority.pem, "chain": server.pem, "key": server.key_pem, "both": server.pem + server.key_pem}
    for name, content in written.items():
        (folder / f"{name}.pem").write_bytes(content)
    return LoopbackCertificate(**{name: folder / f"{name}.pem" for name in written})
