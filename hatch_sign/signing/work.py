"""One signed file: made, checked under the signer's own key, and staged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from hatch_sign.contract import SignatureRecord
from hatch_sign.signing.credentials import Credential, current_credential
from hatch_sign.signing.seal import RunSeal
from hatch_sign.values.display import display
from hatch_sign.values.errors import CredentialRotatedError, HatchSignError, MalformedError, PluginError, SigningError
from hatch_sign.values.public_keys import describe_key

if TYPE_CHECKING:
    from typing import BinaryIO

    from hatch_sign.configuration.model import SignatureSettings
    from hatch_sign.contract import DetachedVerifier, Finding, Format, Witness
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.registry.observing import Observers
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Release, Subject


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
    release: Release | None
    now: datetime
    observers: Observers
    environ: Mapping[str, str]
    observer_settings: Mapping[str, str]

    @property
    def hashes(self) -> frozenset[str]:
        """The digests that it needs of each artifact."""
        hashes: frozenset[str] = self.producer.digests(self.scheme)
        return hashes

    @property
    def signer_name(self) -> str:
        """The key, as outcomes name who signed."""
        return f"{self.signer.reference} ({describe_key(self.signer.public_key)}, {self.scheme.label})"


def make_sidecar(bench: Workbench, subject: Subject) -> bytes:
    """Return a sidecar over `subject`, observed, signed and checked. Raises HatchSignError."""
    digest = _named_digest(subject)
    return _observed(bench, subject.name, digest, lambda seal: bench.producer.sign(subject, seal), [subject])


def make_aggregate(bench: Workbench, name: str, subjects: Sequence[Subject]) -> bytes:
    """Return one signed file of the given name over all `subjects`. Raises HatchSignError."""
    return _observed(bench, name, "", lambda seal: bench.producer.sign(subjects, seal), subjects)


def embed_signature(bench: Workbench, name: str, source: BinaryIO, target: BinaryIO) -> bool:
    """Copy an artifact with a signature inside, observed and checked; False where there is nothing inside to sign."""
    credential = current_credential(bench.signer, bench.settings.certificates)
    bench.observers.before_sign(_record(bench, credential, name, "", verdict=None))
    if not _guarded(bench, name, lambda: bench.producer.embed(source, target, _seal(bench, credential))):
        return False
    target.seek(0)
    if not _proves(bench.verifier.check(name, target, [bench.signer.public_key]), bench):
        message = f"{display(name)}: what {bench.format.name} just embedded does not verify under the key that made it"
        raise SigningError(message, remedy="report this; nothing was written")
    target.seek(0)
    digest = "sha256:" + hashlib.file_digest(target, "sha256").hexdigest()  # type: ignore[arg-type] # a file on disk
    bench.observers.after_sign(_record(bench, credential, name, digest, verdict="consistent"))
    return True


def is_ours(bench: Workbench, data: bytes, subjects: Sequence[Subject]) -> bool:
    """Return whether `data` already holds a good signature over all `subjects` under the signer's own key."""
    try:
        require_consistent(bench, data, subjects, what="the present signature")
    except (SigningError, MalformedError):
        return False
    return True


def require_consistent(bench: Workbench, data: bytes, subjects: Sequence[Subject], *, what: str) -> None:
    """Raise SigningError unless `data` verifies for every subject under the signer's own key."""
    verifier: DetachedVerifier[Any] = bench.verifier
    parsed = verifier.parse(data)
    findings = verifier.check(parsed, subjects, [bench.signer.public_key])
    for subject in subjects:
        if not verifier.covers(parsed, subject.name) or not _proves(findings.get(subject.name), bench):
            message = f"{display(subject.name)}: {what} ({bench.format.name}) does not verify under the key that made it"
            raise SigningError(message, remedy="report this; nothing was written")


def _proves(finding: Finding | None, bench: Workbench) -> bool:
    if finding is None or finding.problem is not None or not finding.facts:
        return False
    return all(facts.public_key == bench.signer.public_key for facts in finding.facts)


def _observed(
    bench: Workbench, name: str, digest: str, sign: Callable[[RunSeal], bytes], subjects: Sequence[Subject]
) -> bytes:
    credential = current_credential(bench.signer, bench.settings.certificates)
    bench.observers.before_sign(_record(bench, credential, name, digest, verdict=None))
    try:
        data = _guarded(bench, name, lambda: sign(_seal(bench, credential)))
    except CredentialRotatedError:
        # The service answers for another leaf than announced: what was built names the old one, so it is built anew.
        credential = current_credential(bench.signer, bench.settings.certificates)
        data = _guarded(bench, name, lambda: sign(_seal(bench, credential)))
    require_consistent(bench, data, subjects, what="what was just made")
    bench.observers.after_sign(_record(bench, credential, name, digest or _digest_of(data), verdict="consistent"))
    return data


def _guarded(bench: Workbench, name: str, call: Callable[[], T]) -> T:
    """Call a plugin's producer; whatever it raises that is not ours becomes one error that names the format."""
    try:
        return call()
    except (HatchSignError, OSError):
        raise
    except Exception as error:
        message = f"{display(name)}: format {bench.format.name} failed: {type(error).__name__}: {display(error)}"
        raise PluginError(message, remedy="report it to the author of the format") from error


def _seal(bench: Workbench, credential: Credential) -> RunSeal:
    return RunSeal(
        signer=bench.signer,
        public_key=credential.public_key,
        certificates=credential.certificates,
        scheme=bench.scheme,
        now=bench.now,
        release=bench.release,
        options=bench.settings.options.get(bench.format.name, {}),
        witnesses=bench.witnesses,
    )


def _record(bench: Workbench, credential: Credential, name: str, digest: str, *, verdict: str | None) -> SignatureRecord:
    return SignatureRecord(
        time=bench.now,
        artifact=name,
        format=bench.format.name,
        key=bench.signer.reference,
        credential=credential.fingerprint,
        digest=digest,
        protection=bench.protection,
        verdict=verdict,
        environ=bench.environ,
        settings=bench.observer_settings,
    )


def _named_digest(subject: Subject) -> str:
    name = min(subject.digests)
    return f"{name}:{subject.digests[name].hex()}"


def _digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
