"""Checks attestations as the bundles that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Finding
from hatch_sign.formats.sigstore.verifier import BundleVerifier, SignedBundle
from hatch_sign.formats.strict_json import parse_json
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_sigstore.pep740.attestation import DISTRIBUTIONS, PREDICATES, parse_attestation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey

_STATEMENT_V1 = "https://in-toto.io/Statement/v1"


class AttestationVerifier(BundleVerifier):
    """A :class:`~hatch_sign.contract.DetachedVerifier` of attestations over one wheel or sdist, by its name and SHA-256."""

    claims = PREDICATES

    def parse(self, data: bytes) -> SignedBundle:
        """Read hostile bytes. Raises MalformedError, and nothing else."""
        parsed = super().parse(parse_attestation(data))
        _require_one_subject(parsed)
        return parsed

    def check(self, parsed: SignedBundle, subjects: Sequence[Subject], keys: Sequence[PublicKey]) -> Mapping[str, Finding]:
        """Return a finding for each subject; attestations are for wheels and sdists alone."""
        findings = super().check(parsed, subjects, keys)
        return {name: finding if name.endswith(DISTRIBUTIONS) else _NO_DISTRIBUTION for name, finding in findings.items()}


_NO_DISTRIBUTION = Finding(problem=Verdict.MALFORMED, detail="attestations are for wheels and sdists alone")


def _require_one_subject(parsed: SignedBundle) -> None:
    statement = parsed.statement
    subjects = statement.subjects if statement is not None else {}
    if len(subjects) != 1:
        message = f"the statement names {len(subjects)} artifacts, expected one"
        raise MalformedError(message)
    if "sha256" not in next(iter(subjects.values())):
        message = "the statement has no SHA-256 of its artifact"
        raise MalformedError(message)
    kind = parse_json(_payload(parsed), subject="the statement")["_type"]
    if kind != _STATEMENT_V1:
        message = f"the statement is of type {display(kind)}, expected {_STATEMENT_V1}"
        raise MalformedError(message)


def _payload(parsed: SignedBundle) -> bytes:
    return getattr(parsed.bundle.content, "payload", b"")
