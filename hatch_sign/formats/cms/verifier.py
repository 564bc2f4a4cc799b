"""Checks CMS signatures under the key of the certificate inside, or under the keys that the trust rules name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Facts, Finding
from hatch_sign.formats.cms.detached import DetachedSignature, parse_detached
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import describe_key, schemes_of_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey


class CmsVerifier:
    """A :class:`~hatch_sign.contract.DetachedVerifier` of detached signatures with signed attributes."""

    def parse(self, data: bytes) -> DetachedSignature:
        """Read hostile bytes. Raises MalformedError, and nothing else."""
        return parse_detached(data)

    def digests(self, parsed: DetachedSignature) -> frozenset[str]:
        """Return the hash of the message digest."""
        return frozenset({parsed.signature.hash})

    def names(self, parsed: DetachedSignature) -> frozenset[str] | None:
        """Return None: a CMS signature names no artifact."""
        del parsed  # no matter which
        return None

    def check(
        self, parsed: DetachedSignature, subjects: Sequence[Subject], keys: Sequence[PublicKey]
    ) -> Mapping[str, Finding]:
        """Return a finding for each subject. The signature is checked once, however many they are."""
        finding = _check_signature(parsed, keys)
        return {subject.name: _problem_of(parsed, subject) or finding for subject in subjects}


def _problem_of(parsed: DetachedSignature, subject: Subject) -> Finding | None:
    """Return how what was signed, by whomever, differs from the artifact."""
    signed = parsed.signature
    if subject.digests.get(signed.hash) == signed.message_digest:
        return None
    detail = f"the CMS signature is for an artifact with {signed.hash} {signed.message_digest.hex()}"
    return Finding(problem=Verdict.HASH_MISMATCH, detail=detail)


def _check_signature(parsed: DetachedSignature, keys: Sequence[PublicKey]) -> Finding:
    candidates = _candidates(parsed, keys)
    for key in candidates:
        if parsed.signature.is_by(key):
            return Finding(facts=(_facts(parsed, key),))
    return Finding(problem=Verdict.UNTRUSTED, detail=_why_not(parsed, candidates))


def _candidates(parsed: DetachedSignature, keys: Sequence[PublicKey]) -> Sequence[PublicKey]:
    """Return the key of the certificate; where none came along, those that are trusted by themselves may have signed."""
    if parsed.certificates:
        return () if parsed.key is None else (parsed.key,)
    return keys


def _facts(parsed: DetachedSignature, key: PublicKey) -> Facts:
    return Facts(
        public_key=key,
        scheme=parsed.signature.scheme,
        signature=parsed.signature.signature,
        certificates=parsed.certificates,
        timestamps=parsed.timestamps,
    )


def _why_not(parsed: DetachedSignature, candidates: Sequence[PublicKey]) -> str:
    scheme = parsed.signature.scheme
    if not parsed.certificates:
        return "the CMS signature does not bring the certificate of its signer, and is by no trusted key"
    if parsed.key is None:
        return "the certificate is for a key of a kind that is not supported"
    if scheme not in schemes_of_key(candidates[0]):
        return f"the CMS signature is by {scheme.label}, which {describe_key(candidates[0])} keys do not sign by"
    return f"the signature is not by the {describe_key(candidates[0])} key of the certificate in it"
