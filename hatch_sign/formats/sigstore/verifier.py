"""Checks Sigstore bundles under the keys that the trust rules name, or under the key of the certificate inside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract import Facts, Finding
from hatch_sign.formats.bare_signatures import is_to_be_signed
from hatch_sign.formats.certificates import certified_key, parse_certificate
from hatch_sign.formats.dsse import Envelope, pre_authentication_encoding
from hatch_sign.formats.intoto import APPROVING_CLAIMS, PAYLOAD_TYPE, RELEASE_CLAIM, Statement, parse_statement
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, carried_schemes, parse_bundle
from hatch_sign.formats.slsa import describe_claim
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import describe_key, key_hint, verify_digest, verify_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """A bundle as parsed, with the statement where it holds one, and its certificates, leaf first.

    `leaf_key` is the leaf's key; None without a certificate, and for a key that is not of the table. `data` is the bundle
    as it was read.
    """

    bundle: Bundle
    statement: Statement | None
    certificates: tuple[Certificate, ...]
    leaf_key: PublicKey | None
    data: bytes


class BundleVerifier:
    """A :class:`~hatch_sign.contract.DetachedVerifier` of bundles with a message signature or a statement."""

    claims = APPROVING_CLAIMS - {RELEASE_CLAIM}
    """What a statement in a sidecar may say: one over a whole release does not become one by another file name."""

    def parse(self, data: bytes) -> SignedBundle:
        """Read hostile bytes. Raises MalformedError, and nothing else."""
        bundle = parse_bundle(data)
        certificates = tuple(parse_certificate(each, subject="a certificate in the bundle") for each in bundle.certificates)
        leaf_key = certified_key(certificates[0], subject="the certificate in the bundle") if certificates else None
        return SignedBundle(bundle, _parse_statement(bundle), certificates, leaf_key, data)

    def digests(self, parsed: SignedBundle) -> frozenset[str]:
        """Return the hash of the message signature, or all by which the statement names artifacts."""
        if parsed.statement is not None:
            return frozenset(hash_ for digests in parsed.statement.subjects.values() for hash_ in digests)
        return frozenset({_message(parsed.bundle).hash})

    def names(self, parsed: SignedBundle) -> frozenset[str] | None:
        """Return the names of the statement's subjects; None for a message signature, which names none."""
        return None if parsed.statement is None else frozenset(parsed.statement.subjects)

    def check(self, parsed: SignedBundle, subjects: Sequence[Subject], keys: Sequence[PublicKey]) -> Mapping[str, Finding]:
        """Return a finding for each subject. The signature is checked once, however many they are."""
        finding = _check_signature(parsed, keys, self.claims)
        return {subject.name: _problem_of(parsed, subject) or finding for subject in subjects}


def _problem_of(parsed: SignedBundle, subject: Subject) -> Finding | None:
    """Return how the claim of the bundle, whoever made it, differs from the artifact."""
    if parsed.statement is None:
        if is_to_be_signed(subject):
            detail = "the artifact is what CMS or DSSE sign in place of one: its bare signature may be for something else"
            return Finding(problem=Verdict.MALFORMED, detail=detail)
        message = _message(parsed.bundle)
        claimed: Mapping[str, bytes] = {message.hash: message.digest}
    elif subject.name in parsed.statement.subjects:
        claimed = parsed.statement.subjects[subject.name]
    else:
        return Finding(problem=Verdict.UNSIGNED, detail=f"the statement does not name {display(subject.name)}")
    for hash_, digest in sorted(claimed.items()):
        if subject.digests.get(hash_) != digest:
            detail = f"the bundle is for an artifact with {hash_} {digest.hex()}"
            return Finding(problem=Verdict.HASH_MISMATCH, detail=detail)
    return None


def _check_signature(parsed: SignedBundle, keys: Sequence[PublicKey], claims: frozenset[str]) -> Finding:
    if parsed.statement is not None and parsed.statement.predicate_type not in claims:
        claim = display(parsed.statement.predicate_type)
        return _untrusted(f"the statement is of another kind than files of this name hold: {claim}")
    candidates = _candidates(parsed, keys)
    for key in candidates:
        scheme = _matching_scheme(parsed.bundle.content, key)
        if scheme is not None:
            return Finding(facts=(_facts(parsed, key, scheme),))
    return _untrusted(_why_not(parsed, candidates))


def _candidates(parsed: SignedBundle, keys: Sequence[PublicKey]) -> Sequence[PublicKey]:
    """Return the keys to try. A hint is not trusted: it only says which to try first."""
    if parsed.certificates:
        return () if parsed.leaf_key is None else (parsed.leaf_key,)
    if len(keys) < 2:  # noqa: PLR2004 - one key needs no order, and its hint costs an import of 20 ms
        return keys
    return sorted(keys, key=lambda key: key_hint(key) != parsed.bundle.hint)


def _matching_scheme(content: MessageSignature | Envelope, key: PublicKey) -> Scheme | None:
    """Return the scheme by which `key` made the signature. An envelope does not say which hash was used."""
    if isinstance(content, MessageSignature):
        digests = {content.hash: content.digest}
        schemes: Iterable[Scheme] = (scheme for scheme in carried_schemes(key) if scheme.hash == content.hash)
    else:
        message = pre_authentication_encoding(content.payload_type, content.payload)
        schemes = carried_schemes(key)
        if any(scheme.hash is None and verify_message(key, content.signature, message, scheme) for scheme in schemes):
            return next(iter(schemes))
        digests = {scheme.hash: hashlib.new(scheme.hash, message).digest() for scheme in schemes if scheme.hash}
    for scheme in schemes:
        if scheme.hash and verify_digest(key, content.signature, digests[scheme.hash], scheme):
            return scheme
    return None


def _facts(parsed: SignedBundle, key: PublicKey, scheme: Scheme) -> Facts:
    return Facts(
        public_key=key,
        scheme=scheme,
        signature=parsed.bundle.signature,
        certificates=parsed.certificates,
        timestamps=parsed.bundle.timestamps,
        log_entries=parsed.bundle.log_entries,
        claims_name=parsed.statement is not None,
        bundle=parsed.data,
        digest=b"" if parsed.statement is not None else _message(parsed.bundle).digest,
        claim="" if parsed.statement is None else describe_claim(parsed.statement),
    )


def _why_not(parsed: SignedBundle, candidates: Sequence[PublicKey]) -> str:
    if parsed.certificates and parsed.leaf_key is None:
        return "the certificate is for a key of a kind that is not supported"
    if parsed.certificates:
        return f"the signature is not by the {describe_key(candidates[0])} key of the certificate in the bundle"
    if not candidates:
        return f"the bundle was made with the key {display(parsed.bundle.hint)}, and no key is trusted"
    return f"no trusted key made the signature; the bundle hints at {display(parsed.bundle.hint)}"


def _untrusted(detail: str) -> Finding:
    return Finding(problem=Verdict.UNTRUSTED, detail=detail)


def _message(bundle: Bundle) -> MessageSignature:
    assert isinstance(bundle.content, MessageSignature)  # noqa: S101 - tells mypy what `parse` made sure of
    return bundle.content


def _parse_statement(bundle: Bundle) -> Statement | None:
    if isinstance(bundle.content, MessageSignature):
        return None
    if bundle.content.payload_type != PAYLOAD_TYPE:
        found = display(bundle.content.payload_type)
        message = f"the envelope's payload is of type {found}, expected {PAYLOAD_TYPE}"
        raise MalformedError(message)
    return parse_statement(bundle.content.payload)
