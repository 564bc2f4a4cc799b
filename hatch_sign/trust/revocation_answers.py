"""OCSP answers (RFC 6960): whether one may speak of a certificate, and what it says."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from hatch_sign.trust.delegates import is_certified
from hatch_sign.trust.extensions import extension_of
from hatch_sign.trust.revocation_statements import Revoked, Statement, revoked_since

_MOST_CERTIFICATES = 4
"""Certificates in an answer that are looked at; real ones bring the responder's, and perhaps its issuer's."""

_ECDSA = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_RSA = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    }
)
_KNOWN = _ECDSA | _RSA | {SignatureAlgorithmOID.ED25519}
"""How answers may be signed. PSS is not among them: cryptography does not show its parameters."""


def read_answer(
    answer: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> Statement | str | None:
    """Return what an answer says of `certificate`, why it may not be used, or None where it speaks of another.

    It is signed by the issuer, or by a responder that the issuer itself certifies for that. Whether the responder's own
    certificate was revoked is not asked. Raises what is in late_errors.
    """
    source = f"the OCSP answer of {issuer.subject.rfc4514_string()}"
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return f"{source} is a failure ({answer.response_status.name.lower()})"
    if len(singles := list(answer.responses)) != 1:
        return f"{source} is about {len(singles)} certificates, expected one"
    if not _is_about(single := singles[0], certificate, issuer):
        return None
    signer = _signer(answer, issuer)
    if isinstance(signer, str):
        return f"{source} {signer}"
    if problem := _problem_of(single, answer):
        return f"{source} {problem}"
    return Statement(
        source,
        single.this_update_utc,
        single.next_update_utc,
        revoked=_revoked(single, answer),
        signer_ends=None if signer is issuer else signer.not_valid_after_utc,
    )


def _problem_of(single: ocsp.OCSPSingleResponse, answer: ocsp.OCSPResponse) -> str:
    for extension in (*answer.extensions, *answer.single_extensions):
        if extension.critical and not isinstance(extension.value, x509.OCSPNonce):
            return f"holds a critical extension that is not known ({extension.oid.dotted_string})"
    return "is that it is not known" if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN else ""


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Return whether an answer names this certificate, by its number and its issuer's name and key."""
    if single.serial_number != certificate.serial_number:
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm).build()
    return (single.issuer_name_hash, single.issuer_key_hash) == (asked.issuer_name_hash, asked.issuer_key_hash)


def _signer(answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate | str:
    """Return the certificate of the key that signed an answer, or why it is nobody's who may."""
    algorithm = answer.signature_algorithm_oid
    if algorithm not in _KNOWN:
        return f"is signed in a way that is not supported ({algorithm.dotted_string})"
    may = (issuer, *(each for each in answer.certificates[:_MOST_CERTIFICATES] if _is_responder(each, answer, issuer)))
    named = [each for each in may if _is_named(each, answer)]
    if not named:
        return "is by a responder that the issuer does not name as its own"
    signer = next((each for each in named if _has_signed(each, answer)), None)
    return "has a wrong signature" if signer is None else signer


def _is_responder(certificate: x509.Certificate, answer: ocsp.OCSPResponse, issuer: x509.Certificate) -> bool:
    """Return whether the issuer let `certificate` answer in its place when that was done (RFC 6960 §4.2.2.2)."""
    usages, uses = extension_of(certificate, x509.ExtendedKeyUsage), extension_of(certificate, x509.KeyUsage)
    return (
        usages is not None
        and ExtendedKeyUsageOID.OCSP_SIGNING in usages
        and (uses is None or uses.digital_signature)
        and is_certified(certificate, [issuer], answer.produced_at_utc)
    )


def _is_named(certificate: x509.Certificate, answer: ocsp.OCSPResponse) -> bool:
    if answer.responder_name is not None:
        return answer.responder_name == certificate.subject
    return answer.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _has_signed(certificate: x509.Certificate, answer: ocsp.OCSPResponse) -> bool:
    key, algorithm, hash_ = certificate.public_key(), answer.signature_algorithm_oid, answer.signature_hash_algorithm
    signed = answer.signature, answer.tbs_response_bytes
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA and hash_ is not None:
            key.verify(*signed, ec.ECDSA(hash_))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA and hash_ is not None:
            key.verify(*signed, padding.PKCS1v15(), hash_)
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm == SignatureAlgorithmOID.ED25519:
            key.verify(*signed)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _revoked(single: ocsp.OCSPSingleResponse, answer: ocsp.OCSPResponse) -> Revoked | None:
    since = single.revocation_time_utc
    if single.certificate_status is not ocsp.OCSPCertStatus.REVOKED or since is None:
        return None
    return revoked_since(since, single.revocation_reason, answer.single_extensions)
