"""What observers are told of a signature, whoever makes it, and how records name what is signed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from hatch_sign.contract.observers import SignatureRecord

if TYPE_CHECKING:
    from hatch_sign.contract import Format
    from hatch_sign.signing.circumstances import Circumstances
    from hatch_sign.values.artifacts import Subject


class Observed(Protocol):
    """What records take from a bench."""

    @property
    def format(self) -> Format:
        """The format that is made."""
        ...

    @property
    def reference(self) -> str:
        """The key's or the identity's reference without its query."""
        ...

    @property
    def protection(self) -> str:
        """How the key is kept, as the level is spelled."""
        ...

    @property
    def circumstances(self) -> Circumstances:
        """What is the same for the whole run."""
        ...


def signature_record(
    bench: Observed, name: str, credential: str, *, digest: str = "", verdict: str | None = None, member: str | None = None
) -> SignatureRecord:
    """Return what observers are told of one signature of the bench."""
    return SignatureRecord(
        time=bench.circumstances.now,
        artifact=name,
        member=member,
        format=bench.format.name,
        key=bench.reference,
        credential=credential,
        digest=digest,
        protection=bench.protection,
        verdict=verdict,
        environ=bench.circumstances.environ,
        settings=bench.circumstances.observer_settings,
    )


def named_digest(subject: Subject) -> str:
    """Return a digest of the artifact, after the name of its hash."""
    name = min(subject.digests)
    return f"{name}:{subject.digests[name].hex()}"


def file_digest(data: bytes) -> str:
    """Return the SHA-256 of a signed file."""
    return "sha256:" + hashlib.sha256(data).hexdigest()
