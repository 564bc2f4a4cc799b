"""Certificate chains: built and checked by cryptography, for signers instead of web servers (RFC 5280 §6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.trust.extensions import extension_of
from hatch_sign.trust.name_constraints import unheld_constraint
from hatch_sign.values.late_errors import late_errors

MOST_CERTIFICATES = 8
"""Certificates that one signature may bring, the leaf among them; real chains have two to four."""

_MOST_ALIKE = 2
"""Of issuers with one name and one key: each more multiplies the paths to try, which cryptography 46 does not limit."""

_ALGORITHM = re.compile(r": AlgorithmIdentifier \{.*params: (\w+).*\Z", re.DOTALL)
"""How cryptography shows an algorithm that it refuses: as a structure of its own, where it knows its name."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether a leaf leads to a root. `problem` is empty where it does; `ended` is when it last did, if it did before.

    `certificates` are those that were found to hold, leaf to root: at the instant asked, else when it `ended`.
    """

    problem: str = ""
    ended: datetime | None = None
    certificates: tuple[x509.Certificate, ...] = ()


def check_chain(
    certificates: Sequence[x509.Certificate],
    *,
    roots: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    usage: x509.ObjectIdentifier,
    at: datetime,
) -> Chain:
    """Check the chain of `certificates`, leaf first, to any of `roots` at an instant. Never raises.

    Issuers must be authorities that may sign certificates, and where they name usages, `usage` or any must be among
    them; the leaf must be for `usage` and for signatures, and no authority.
    """
    if len(certificates) > MOST_CERTIFICATES:
        return Chain(f"the signature brings {len(certificates)} certificates, expected at most {MOST_CERTIFICATES}")
    return _checked(tuple(certificates), tuple(roots), tuple(intermediates), usage, at)


@lru_cache(maxsize=64)  # one signature may be over a thousand artifacts, and one signer signs most of a release
def _checked(
    certificates: tuple[x509.Certificate, ...],
    roots: tuple[x509.Certificate, ...],
    intermediates: tuple[x509.Certificate, ...],
    usage: x509.ObjectIdentifier,
    at: datetime,
) -> Chain:
    try:
        return _check(certificates, roots, [*intermediates, *_few_alike(certificates[1:])], usage, at)
    except late_errors() as error:
        return Chain(f"a certificate is malformed: {error}")


def _check(
    certificates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    issuers: Sequence[x509.Certificate],
    usage: x509.ObjectIdentifier,
    at: datetime,
) -> Chain:
    leaf = certificates[0]
    if problem := _problem_of_leaf(leaf, usage):
        return Chain(problem)
    chain = _chain_at(at, leaf, roots, issuers, usage)
    if not chain.problem:
        return chain
    names = {certificate.issuer for certificate in (leaf, *issuers)}
    involved = (leaf, *issuers, *(root for root in roots if root.subject in names))
    ends = {certificate.not_valid_after_utc for certificate in involved}
    for end in sorted((end for end in ends if end < at), reverse=True):
        before = _chain_at(end, leaf, roots, issuers, usage)
        if not before.problem:
            return Chain(f"a certificate ended on {_day(end)}", end, before.certificates)
    begins = leaf.not_valid_before_utc
    return Chain(f"the certificate begins on {_day(begins)}") if begins > at else chain


def _chain_at(
    at: datetime,
    leaf: x509.Certificate,
    roots: Sequence[x509.Certificate],
    issuers: Sequence[x509.Certificate],
    usage: x509.ObjectIdentifier,
) -> Chain:
    """Return the chain that leads from the leaf to a root at an instant, or why none does."""
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(list(roots)))
        .time(at.astimezone(UTC).replace(tzinfo=None))
        .extension_policies(ca_policy=_issuer_policy(usage), ee_policy=verification.ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        verified = verifier.verify(leaf, list(issuers))
    except verification.VerificationError as error:
        return Chain(f"no chain leads to a configured root: {_reason(error)}")
    if problem := unheld_constraint(verified.chain):
        return Chain(f"no chain leads to a configured root: {problem}")
    return Chain(certificates=tuple(verified.chain))


def _reason(error: verification.VerificationError) -> str:
    reason = str(error).removeprefix("validation failed: ").partition(" (encountered")[0]
    found = _ALGORITHM.search(reason)
    if found is None:
        return reason
    return reason[: found.start()] + ("" if found[1] == "Other" else f" ({found[1]})")


def _issuer_policy(usage: x509.ObjectIdentifier) -> verification.ExtensionPolicy:
    def may_sign_certificates(_policy: object, _certificate: object, extension: x509.KeyUsage | None) -> None:
        if extension is not None and not extension.key_cert_sign:
            message = "an issuer may not sign certificates"
            raise ValueError(message)

    def may_issue_for_usage(_policy: object, _certificate: object, extension: x509.ExtendedKeyUsage | None) -> None:
        if extension is not None and not {usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.intersection(extension):
            message = "an issuer is not for such certificates"
            raise ValueError(message)

    agnostic = verification.Criticality.AGNOSTIC
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, agnostic, None)  # cryptography itself asks for cA and holds the path length
        .may_be_present(x509.KeyUsage, agnostic, may_sign_certificates)
        .may_be_present(x509.ExtendedKeyUsage, agnostic, may_issue_for_usage)
    )


def _problem_of_leaf(leaf: x509.Certificate, usage: x509.ObjectIdentifier) -> str:
    """Return why a certificate may not sign, for `usage`. Without keyUsage, any use is allowed (RFC 5280 §4.2.1.3)."""
    stamps = usage == ExtendedKeyUsageOID.TIME_STAMPING  # such a certificate may name either bit (RFC 5280 §4.2.1.12)
    constraints = extension_of(leaf, x509.BasicConstraints)
    key_usage = extension_of(leaf, x509.KeyUsage)
    usages = extension_of(leaf, x509.ExtendedKeyUsage)
    if constraints is not None and constraints.ca:
        return "the certificate is an authority's, expected a signer's"
    if key_usage is not None and not (key_usage.digital_signature or (stamps and key_usage.content_commitment)):
        return "the certificate is not for digital signatures (keyUsage)"
    if usages is None or usage not in usages:
        return f"the certificate is not for {describe_usage(usage)} (extendedKeyUsage)"
    return ""


_USAGES = {
    ExtendedKeyUsageOID.CODE_SIGNING: "code signing",
    ExtendedKeyUsageOID.TIME_STAMPING: "timestamps",
}


def describe_usage(usage: x509.ObjectIdentifier) -> str:
    """Return an extended key usage as people read it."""
    return _USAGES.get(usage) or f"usage {usage.dotted_string}"


def _few_alike(issuers: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the issuers without repetitions, and with few that could stand in one another's place."""
    seen: Counter[tuple[bytes, bytes]] = Counter()
    kept = []
    for issuer in dict.fromkeys(issuers):
        key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        identity = issuer.subject.public_bytes(), key
        seen[identity] += 1
        if seen[identity] <= _MOST_ALIKE:
            kept.append(issuer)
    return kept


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"
