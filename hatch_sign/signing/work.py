"""One signed file: made, checked under the signer's own key, and staged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from hatch_sign.contract import Finding
from hatch_sign.contract.guarding import guarded
from hatch_sign.signing.credentials import Credential, current_credential
from hatch_sign.signing.recording import file_digest, named_digest, signature_record
from hatch_sign.signing.seal import RunSeal
from hatch_sign.signing.witnessing import is_witnessed, missing_evidence
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import CredentialRotatedError, MalformedError, SigningError
from hatch_sign.values.public_keys import describe_key

if TYPE_CHECKING:
    from typing import BinaryIO

    from hatch_sign.configuration.model import SignatureSettings
    from hatch_sign.contract import DetachedVerifier, Facts, Format, Witness
    from hatch_sign.contract.witnesses import EvidenceKind
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.signing.circumstances import Circumstances
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workbench:
    """What all signatures of one format under one key share."""

    format: Format
    settings: SignatureSettings
    signer: CheckedSigner
    scheme: Scheme
    protection: str
    producer: Any
    verifier: Any
    witnesses: Sequence[Witness]
    circumstances: Circumstances

    @property
    def hashes(self) -> frozenset[str]:
        """The digests that it needs of each artifact."""
        hashes: frozenset[str] = self.producer.digests(self.scheme)
        return hashes

    @property
    def reference(self) -> str:
        """The key reference without its query."""
        return self.signer.reference

    @property
    def signer_name(self) -> str:
        """The key, as outcomes name who signed."""
        return f"{self.signer.reference} ({describe_key(self.signer.public_key)}, {self.scheme.label})"


@dataclass(frozen=True, slots=True)
class Made:
    """A signed file, and the key that signed it: a service may have gone on to another since."""

    data: bytes
    public_key: PublicKey


def make_sidecar(bench: Workbench, subject: Subject) -> Made:
    """Return a sidecar over `subject`, observed, signed and checked. Raises HatchSignError."""

    def make(credential: Credential) -> bytes:
        data: bytes = bench.producer.sign(subject, _seal(bench, credential))
        require_consistent(bench, Made(data, credential.public_key), [subject], what="what was just made")
        return data

    data, credential = _observed(bench, subject.name, make, lambda _: named_digest(subject))
    return Made(data, credential.public_key)


def make_aggregate(bench: Workbench, name: str, subjects: Sequence[Subject]) -> Made:
    """Return one signed file of the given name over all `subjects`. Raises HatchSignError."""

    def make(credential: Credential) -> bytes:
        data: bytes = bench.producer.sign(subjects, _seal(bench, credential))
        require_consistent(bench, Made(data, credential.public_key), subjects, what="what was just made")
        return data

    data, credential = _observed(bench, name, make, file_digest)
    return Made(data, credential.public_key)


def embed_signature(
    bench: Workbench, name: str, source: BinaryIO, target: BinaryIO, *, member: str | None = None
) -> Finding | None:
    """Copy a file with a signature inside, observed and checked; None where there is nothing inside to sign.

    `source` is the artifact of that name, or a `member` of it by its path. Returns the facts of the signatures by the key.
    """
    shown = name if member is None else f"{name}/{member}"

    def make(credential: Credential) -> Finding | None:
        source.seek(0)
        target.seek(0)
        target.truncate()
        if not bench.producer.embed(source, target, _seal(bench, credential)):
            return None
        return _require_embedded(bench, shown, target, credential.public_key)

    def digest(embedded: Finding | None) -> str:
        if embedded is None:
            return ""
        target.seek(0)
        return "sha256:" + hashlib.file_digest(target, "sha256").hexdigest()  # type: ignore[arg-type] # a file on disk

    return _observed(bench, name, make, digest, member=member)[0]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a file holds by way of signatures of one format.

    `is_ours` says that one is by our key, `is_current` that one is what would be made now: with our certificates, and
    with the timestamp that is asked for.
    """

    finding: Finding
    is_ours: bool
    is_current: bool

    @property
    def signers(self) -> str:
        """Who the signatures are by, as far as they say so themselves: nothing of it is proven."""
        return ", ".join(dict.fromkeys(_named_signer(facts) for facts in self.finding.facts))


def look_inside(bench: Workbench, name: str, source: BinaryIO) -> Inside:
    """Return which signatures of the bench's format `source` holds already. Raises PluginError."""
    credential = current_credential(bench.signer, bench.settings.certificates)
    source.seek(0)
    finding = _guarded(bench, name, lambda: bench.verifier.check(name, source, [credential.public_key]))
    ours = _by_key(finding, credential.public_key)
    carried = tuple(bench.producer.carries(_seal(bench, credential))) if ours else ()
    is_current = any(tuple(facts.certificates) == carried and not missing_evidence(facts, bench.witnesses) for facts in ours)
    return Inside(finding, bool(ours), is_current)


def is_ours(bench: Workbench, data: bytes, subjects: Sequence[Subject]) -> bool:
    """Return whether `data` is what would be made now: under this key, over these subjects, with these certificates."""
    credential = current_credential(bench.signer, bench.settings.certificates)
    try:
        findings = require_consistent(bench, Made(data, credential.public_key), subjects, what="the present signature")
        names = bench.verifier.names(bench.verifier.parse(data))
    except (SigningError, MalformedError):
        return False
    carried = tuple(bench.producer.carries(_seal(bench, credential)))
    same_certificates = all(tuple(facts.certificates) == carried for found in findings.values() for facts in found.facts)
    return same_certificates and (names is None or names == {subject.name for subject in subjects})


def require_consistent(bench: Workbench, made: Made, subjects: Sequence[Subject], *, what: str) -> Mapping[str, Finding]:
    """Return the findings. Raises SigningError unless each subject is signed, under the key that made it."""
    verifier: DetachedVerifier[Any] = bench.verifier
    findings = verifier.check(verifier.parse(made.data), subjects, [made.public_key])
    for subject in subjects:
        if not _proves(findings.get(subject.name), made.public_key):
            message = f"{display(subject.name)}: {what} ({bench.format.name}) does not verify under the key that made it"
            raise SigningError(message, remedy="report this; nothing was written")
        for facts in findings[subject.name].facts:
            if missing := missing_evidence(facts, bench.witnesses):
                raise _unwitnessed(bench, subject.name, missing)
    return findings


def is_embedded_stamped(bench: Workbench, embedded: Finding) -> bool:
    """Return whether what was embedded holds what the witnesses were asked for; an older one by the key may lack it."""
    return not bench.witnesses or any(is_witnessed(facts, bench.witnesses) for facts in embedded.facts)


def _require_embedded(bench: Workbench, name: str, target: BinaryIO, key: PublicKey) -> Finding:
    """Return the facts of the signatures by the key. Raises SigningError unless there is one, as configured."""
    target.seek(0)
    ours = _by_key(bench.verifier.check(name, target, [key]), key)
    if not ours:
        message = f"{display(name)}: what {bench.format.name} just embedded does not verify under the key that made it"
        raise SigningError(message, remedy="report this; nothing was written")
    missing = [missing_evidence(facts, bench.witnesses) for facts in ours]
    if None not in missing:  # an older one by the key may be beside it
        raise _unwitnessed(bench, name, missing[0] or "timestamp")
    return Finding(ours)


def _unwitnessed(bench: Workbench, name: str, kind: EvidenceKind) -> SigningError:
    """Return the error of a format that did not put in what is configured, and must be there."""
    what = "timestamp" if kind == "timestamp" else "log entry"
    message = f"{display(name)}: the signature ({bench.format.name}) lacks the {what} that is configured"
    return SigningError(message, remedy=f"leave the format or the {what} out; nothing was written")


def _proves(finding: Finding | None, key: PublicKey) -> bool:
    if finding is None or finding.problem is not None or not finding.facts:
        return False
    return all(facts.public_key == key for facts in finding.facts)


def _by_key(finding: Finding, key: PublicKey) -> list[Facts]:
    """Return the signatures by the key: others may stand beside them, which a format may keep."""
    return [] if finding.problem is not None else [facts for facts in finding.facts if facts.public_key == key]


def _named_signer(facts: Facts) -> str:
    if not facts.certificates:
        return f"a key of the kind {describe_key(facts.public_key)}"
    return describe_subject(facts.certificates[0])


def _observed(
    bench: Workbench,
    name: str,
    make: Callable[[Credential], T],
    digest: Callable[[T], str],
    *,
    member: str | None = None,
) -> tuple[T, Credential]:
    """Make and check one signature between its observers; where the service has rotated its leaf, make it once more."""
    credential = current_credential(bench.signer, bench.settings.certificates)
    record = partial(signature_record, bench, name, member=member)
    bench.circumstances.observers.before_sign(record(credential.fingerprint))
    try:
        made = _guarded(bench, name, lambda: make(credential))
    except CredentialRotatedError:
        # What was built names a leaf that the service no longer signs by, so it is built anew.
        renewed = current_credential(bench.signer, bench.settings.certificates)
        made, credential = _guarded(bench, name, lambda: make(renewed)), renewed
    bench.circumstances.observers.after_sign(record(credential.fingerprint, digest=digest(made), verdict="consistent"))
    return made, credential


def _guarded(bench: Workbench, name: str, call: Callable[[], T]) -> T:
    return guarded(bench.format, name, call)


def _seal(bench: Workbench, credential: Credential) -> RunSeal:
    return RunSeal(
        signer=bench.signer,
        public_key=credential.public_key,
        certificates=credential.certificates,
        scheme=bench.scheme,
        now=bench.circumstances.now,
        release=bench.circumstances.release,
        options=bench.settings.options.get(bench.format.name, {}),
        provenance=bench.circumstances.provenance,
        witnesses=bench.witnesses,
    )
