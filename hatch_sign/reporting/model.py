"""What a report says, as plain values. All text is raw: whoever writes it out makes it safe."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

NodeKind = Literal["artifact", "signature", "key", "certificate", "root", "rule", "refusal", "witness"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the report cannot know by itself: who wrote it and when, as of when was judged, by which file.

    Instants are aware. `policy_path` is the file that says whom to trust, None where the command line said it alone;
    `policy_sha256` is that file's digest as hexadecimal. `exit_code` is what the command ended with.
    """

    version: str
    written_at: datetime
    judged_at: datetime
    exit_code: int
    policy_path: str | None = None
    policy_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """One certificate; `role` is what it is in the chain, `serial` hexadecimal, `sha256` that of its DER."""

    role: str
    subject: str
    issuer: str
    serial: str
    begins: str
    ends: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WitnessEntry:
    """What vouches for the time of the signatures: a timestamp authority, or a transparency log.

    `times` are the instants, one for each artifact it is about; `doubt` says why it is not believed, empty where it is.
    """

    kind: str
    by: str
    times: tuple[str, ...]
    doubt: str = ""
    certificates: tuple[CertificateEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One step in the drawing of a chain; `how` says by what the step before leads to it."""

    kind: NodeKind
    title: str
    lines: tuple[str, ...]
    how: str = ""


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """One way from artifacts to what vouches for them, or to why nothing does: shared by all that it holds for."""

    number: int
    trusted: bool
    title: str
    key: str
    key_sha256: str
    scheme: str
    rule: str
    nodes: tuple[Node, ...]
    certificates: tuple[CertificateEntry, ...]
    witnesses: tuple[WitnessEntry, ...]


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One signature, of a `member` inside the artifact if that is not empty.

    `matters` is False where there was nothing to sign; `chain` is the number of its :class:`ChainEntry`, None where no
    signature could be read.
    """

    artifact: str
    member: str
    signature: str
    format: str
    verdict: str
    trusted: bool
    matters: bool
    signer: str
    time: str
    file: str
    detail: str
    claim: str
    warnings: tuple[str, ...]
    chain: int | None


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """One artifact; `size` in bytes and `sha256` are None where it was not read."""

    name: str
    passed: bool
    size: int | None
    sha256: str | None
    signatures: tuple[SignatureEntry, ...]


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """One trust rule: its settings as the configuration spells them, and what files of it were found to hold."""

    label: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """Whom the artifacts were judged by."""

    require: tuple[str, ...]
    rules: tuple[RuleEntry, ...]
    timestamp_roots: tuple[CertificateEntry, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    circumstances: Circumstances
    passed: bool
    headline: str
    artifacts: tuple[ArtifactEntry, ...]
    chains: tuple[ChainEntry, ...]
    policy: PolicyEntry
