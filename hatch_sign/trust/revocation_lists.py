"""Revocation lists (RFC 5280 §5 and §6.3.3): whether one may speak of a certificate, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509

from hatch_sign.trust.delegates import is_certified
from hatch_sign.trust.extensions import extension_of
from hatch_sign.trust.revocation_statements import Revoked, Statement, revoked_since
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.late_errors import late_errors

_KNOWN = (x509.AuthorityKeyIdentifier, x509.CRLNumber, x509.IssuingDistributionPoint)
"""Extensions of a list that are understood here, and so may be critical; what is said of a list by others is passed over."""

_KEEPS_EXPIRED = x509.ObjectIdentifier("2.5.29.60")
"""expiredCertsOnCRL (X.509 §9.5.2.8): a GeneralizedTime since which certificates that ended are kept."""


def read_list(
    crl: x509.CertificateRevocationList,
    certificate: x509.Certificate,
    above: Sequence[x509.Certificate],
    delegates: Sequence[x509.Certificate],
) -> Statement | str | None:
    """Return what a list says of `certificate`, why it may not be used, or None where it is another issuer's.

    `above` are the issuer and its issuers. The list is signed by the issuer's own key, or by one of `delegates` of the
    same name that the issuer, or who issued it, certifies for that. Indirect lists, deltas, and those for some reasons
    only are not used. Raises what is in late_errors.
    """
    issuer = above[0]
    if crl.issuer != issuer.subject:
        return None
    source = f"the revocation list of {issuer.subject.rfc4514_string()}"
    signer = _signer(crl, above, delegates)
    if isinstance(signer, str):
        return f"{source} {signer}"
    if problem := _problem_of_extensions(crl) or _problem_of_scope(crl, certificate):
        return f"{source} {problem}"
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if entry is not None and _reason(entry) is x509.ReasonFlags.remove_from_crl:
        return f"{source} takes an entry back, which only a delta may"
    return Statement(
        source,
        crl.last_update_utc,
        crl.next_update_utc,
        revoked=None if entry is None else _revoked(entry),
        signer_ends=None if signer is issuer else signer.not_valid_after_utc,
        keeps_since=_keeps_since(crl),
    )


def _signer(
    crl: x509.CertificateRevocationList, above: Sequence[x509.Certificate], delegates: Sequence[x509.Certificate]
) -> x509.Certificate | str:
    """Return the certificate of the key that signed a list, or why it is nobody's who may."""
    algorithm = crl.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in DIGEST_SIZES:
        return f"is signed with the hash {algorithm.name}"
    may = (above[0], *(each for each in delegates if _is_delegate(each, above, crl.last_update_utc)))
    signer = next((each for each in may if crl.is_signature_valid(each.public_key())), None)  # type: ignore[arg-type] # a key of any other type raises TypeError
    if signer is None:
        return "has a wrong signature"
    uses = extension_of(signer, x509.KeyUsage)
    return signer if uses is None or uses.crl_sign else "is signed by who may not sign such (keyUsage)"


def _is_delegate(certificate: x509.Certificate, above: Sequence[x509.Certificate], at: datetime) -> bool:
    uses = extension_of(certificate, x509.KeyUsage)
    named = certificate.subject == above[0].subject and uses is not None and uses.crl_sign
    return named and is_certified(certificate, above[:2], at)


def _problem_of_extensions(crl: x509.CertificateRevocationList) -> str:
    for extension in crl.extensions:
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            return "holds changes to another list only (a delta)"
        if extension.critical and not isinstance(extension.value, _KNOWN):
            return f"holds a critical extension that is not known ({extension.oid.dotted_string})"
    return ""


def _problem_of_scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> str:
    """Return why a list that is only for some certificates is not for this one (RFC 5280 §6.3.3 (b))."""
    scope = extension_of(crl, x509.IssuingDistributionPoint)
    if scope is None:
        return ""
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs or scope.relative_name:
        return "is indirect, or for some reasons only, which is not supported"
    constraints = extension_of(certificate, x509.BasicConstraints)
    is_authority = constraints is not None and constraints.ca
    if (scope.only_contains_user_certs and is_authority) or (scope.only_contains_ca_certs and not is_authority):
        return "is not for such certificates"
    if scope.full_name and not _names(certificate).intersection(scope.full_name):
        return "is for certificates that name another place"
    return ""


def _names(certificate: x509.Certificate) -> set[x509.GeneralName]:
    points = extension_of(certificate, x509.CRLDistributionPoints) or ()
    return {name for point in points for name in point.full_name or ()}


def _revoked(entry: x509.RevokedCertificate) -> Revoked:
    """Return since when and why; an entry whose extensions cannot be read is no less one."""
    try:
        extensions = entry.extensions
    except late_errors():
        return Revoked(entry.revocation_date_utc)
    return revoked_since(entry.revocation_date_utc, _reason(entry), extensions)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except late_errors(x509.ExtensionNotFound):
        return None


def _keeps_since(crl: x509.CertificateRevocationList) -> datetime | None:
    try:
        value = crl.extensions.get_extension_for_oid(_KEEPS_EXPIRED).value
        text = value.public_bytes()[2:].decode("ascii")
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except (x509.ExtensionNotFound, ValueError):
        return None
