"""One signed file that a bundle signer makes: through the format, observed, and checked as it would be by its verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hatch_sign.contract.guarding import guarded
from hatch_sign.signing.recording import file_digest, named_digest, signature_record
from hatch_sign.signing.work import Made
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, SigningError

if TYPE_CHECKING:
    from hatch_sign.configuration.model import SignatureSettings
    from hatch_sign.contract import Facts, Finding, Format, LogVersion, SignsByBundle
    from hatch_sign.custody.bundle_signer import CheckedBundleSigner
    from hatch_sign.signing.circumstances import Circumstances
    from hatch_sign.values.artifacts import Release, Subject
    from hatch_sign.values.public_keys import PublicKey

_SHA256 = frozenset({"sha256"})


@dataclass(frozen=True, slots=True)
class BundleBench:
    """What all signatures of one format by one identity share; beside a Workbench, which has a key."""

    format: Format
    settings: SignatureSettings
    signer: CheckedBundleSigner
    protection: str
    producer: SignsByBundle
    verifier: Any
    circumstances: Circumstances

    @property
    def hashes(self) -> frozenset[str]:
        """The digests that it needs of each artifact."""
        return _SHA256

    @property
    def reference(self) -> str:
        """The reference without its query."""
        return self.signer.reference

    @property
    def signer_name(self) -> str:
        """The identity, as outcomes name who signed."""
        return f"{self.signer.reference} as {self.signer.credential}"


@dataclass(frozen=True, slots=True)
class RunBundleSeal:
    """One format's way to the identity of a run: a :class:`~hatch_sign.contract.BundleSeal`."""

    bench: BundleBench

    @property
    def now(self) -> datetime:
        """One instant for the whole run."""
        return self.bench.circumstances.now

    @property
    def release(self) -> Release | None:
        """The release being signed."""
        return self.bench.circumstances.release

    @property
    def options(self) -> Mapping[str, Any]:
        """The format's own settings."""
        return self.bench.settings.options.get(self.bench.format.name, {})

    @property
    def provenance(self) -> Mapping[str, Any] | None:
        """The predicate of this run's provenance."""
        return self.bench.circumstances.provenance

    def sign_artifact(self, digest: bytes) -> bytes:
        """Return a bundle with a message signature over the artifact of this SHA-256 digest."""
        return self.bench.signer.sign_artifact(digest)

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return a bundle with the statement in a DSSE envelope."""
        return self.bench.signer.sign_statement(statement, log=log)


def make_by_bundle(bench: BundleBench, name: str, subjects: Sequence[Subject]) -> Made:
    """Return the signed file over `subjects`, which records name `name`. Raises HatchSignError."""
    record = partial(signature_record, bench, name, bench.signer.credential)
    bench.circumstances.observers.before_sign(record())
    data = guarded(bench.format, name, lambda: bench.producer.sign_by_bundle(subjects, RunBundleSeal(bench)))
    key = _signing_key(bench, data, subjects)
    digest = named_digest(subjects[0]) if bench.format.kind == "sidecar" else file_digest(data)
    bench.circumstances.observers.after_sign(record(digest=digest, verdict="consistent"))
    return Made(data, key)


def require_same_key(bench: BundleBench, made: Made, subjects: Sequence[Subject], *, what: str) -> Mapping[str, Finding]:
    """Return the findings. Raises SigningError unless each subject is signed under the key that made it."""
    findings, facts = _examine(bench, made.data, subjects, what=what)
    if any(each.public_key != made.public_key for each in facts):
        raise _inconsistent(bench, subjects[0].name, what)
    return findings


def is_by_identity(bench: BundleBench, data: bytes, subjects: Sequence[Subject]) -> bool:
    """Return whether `data` is over exactly these subjects and by this identity, in this run or an earlier one."""
    try:
        facts = _examine(bench, data, subjects, what="the present signature")[1]
        names = bench.verifier.names(bench.verifier.parse(data))
    except (SigningError, MalformedError):
        return False
    return (names is None or names == {subject.name for subject in subjects}) and _is_signed_by_us(bench, facts)


def _signing_key(bench: BundleBench, data: bytes, subjects: Sequence[Subject]) -> PublicKey:
    """Return the key that signed all of it. Raises SigningError unless what the format wrote is by the identity."""
    what = "what was just made"
    facts = _examine(bench, data, subjects, what=what)[1]
    key = facts[0].public_key
    if any(each.public_key != key for each in facts) or not _is_signed_by_us(bench, facts):
        raise _inconsistent(bench, subjects[0].name, what)
    return key


def _examine(
    bench: BundleBench, data: bytes, subjects: Sequence[Subject], *, what: str
) -> tuple[Mapping[str, Finding], Sequence[Facts]]:
    findings: Mapping[str, Finding] = bench.verifier.check(bench.verifier.parse(data), subjects, ())
    facts: list[Facts] = []
    for subject in subjects:
        found = findings.get(subject.name)
        if found is None or found.problem is not None or not found.facts:
            raise _inconsistent(bench, subject.name, what)
        facts += found.facts
    return findings, facts


def _is_signed_by_us(bench: BundleBench, facts: Sequence[Facts]) -> bool:
    """Whether every bundle is by the identity; many subjects of one statement share theirs."""
    bundles = dict.fromkeys((each.bundle, each.digest) for each in facts)
    return all(bench.signer.has_signed(bundle, digest or None) for bundle, digest in bundles)


def _inconsistent(bench: BundleBench, name: str, what: str) -> SigningError:
    message = f"{display(name)}: {what} ({bench.format.name}) does not verify as signed by {display(bench.signer.identity)}"
    return SigningError(message, remedy="report this; nothing was written")
