"""Which of the certificates in a CMS structure is the signer's, and whether it is the one that was meant when it signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import malformed_asn1, parse_der, tsp, x509
from hatch_sign.formats.certificates import parse_certificate
from hatch_sign.formats.cms.algorithms import read_digest_algorithm
from hatch_sign.formats.cms.parsing import MAX_SIZE, single_value
from hatch_sign.values.certificates import is_issued_by, names_issuer
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.formats.cms.parsing import CmsSignature, SignedData

SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

MOST_ISSUERS = 8
"""Certificates whose issuers are looked for, at the cost of checking a signature for every other of the issuer's name."""
MOST_CHECKS = 64
"""Signatures that are checked to find them."""

_KEY_IDENTIFIER = "2.5.29.14"
_BINDING = {SIGNING_CERTIFICATE: tsp.SigningCertificate, SIGNING_CERTIFICATE_V2: tsp.SigningCertificateV2}


def signer_chain(signed: SignedData, signature: CmsSignature, *, subject: str) -> tuple[Certificate, ...]:
    """Return the certificate of the signer, then its issuers as far as they are inside; empty where it is not inside.

    Raises MalformedError, naming `subject`, where the signed attributes mean another certificate than those that answer to
    the signer's name, where two could be meant, or where it cannot be read; others that cannot be read are passed over.
    """
    named = named_certificates(signature, signed.certificates, subject=subject)
    if not named:
        return ()
    meant = [encoded for encoded in named if is_bound(signature, encoded, subject=subject) is not False]
    if len(meant) != 1:
        found = "none of which it was made with" if not meant else "any of which it may have been made with"
        message = f"{subject} holds {len(named)} certificates of its signer's name, {found}"
        raise MalformedError(message)
    leaf = parse_certificate(meant[0], subject=f"the signer's certificate in {subject}")
    return with_issuers(leaf, _readable(signed.certificates))


def with_issuers(leaf: Certificate, others: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Return `leaf`, its issuers among `others`, theirs, and so on, each once: also those that stand in another's place."""
    left, chain, checks = tuple(others), [leaf], MOST_CHECKS
    for certificate in chain:
        if len(chain) <= MOST_ISSUERS:
            named = [each for each in left if each not in chain and names_issuer(certificate, each)][:checks]
            checks -= len(named)
            chain += [each for each in named if is_issued_by(certificate, each)]
    return tuple(chain)


def named_certificates(signature: CmsSignature, certificates: Iterable[bytes], *, subject: str) -> Sequence[bytes]:
    """Return those of `certificates`, each in DER and once, that answer to the name by which `signature` means its signer.

    Raises MalformedError, naming `subject`, where one of them cannot be read so far.
    """
    return [encoded for encoded in dict.fromkeys(certificates) if _is_named(encoded, signature, subject)]


def names_certificate(signature: CmsSignature) -> bool:
    """Return whether the signed attributes say which certificate they mean; :func:`signer_chain` returns no other."""
    return any(number in signature.attributes for number in _BINDING)


def is_bound(signature: CmsSignature, encoded: bytes, *, subject: str) -> bool | None:
    """Return whether the signed attributes mean the certificate with this DER; None where they do not say which they mean.

    Where they did not, another certificate of the same key could be put in its place (RFC 5035 §5; the first of those in
    the attribute is the signer's). The older form with SHA-1 (RFC 2634 §5.4) is read too: who could make two certificates
    of one digest would need the authority for it. Raises MalformedError, naming `subject`, for what cannot be read.
    """
    answers = []
    for number, kind in _BINDING.items():
        value = single_value(signature.attributes, number, subject=subject)
        if value is not None:
            attribute = parse_der(kind, value, subject=f"the signing-certificate attribute of {subject}", longest=MAX_SIZE)
            with malformed_asn1(subject):
                answers.append(_means(attribute["certs"][0], encoded, subject))
    return all(answers) if answers else None


def _is_named(encoded: bytes, signature: CmsSignature, subject: str) -> bool:
    with malformed_asn1(f"a certificate in {subject}"):
        certificate = x509.Certificate.load(encoded, strict=True)
        if signature.key_identifier:
            return _key_identifier(certificate) == signature.key_identifier
        return _issuer_and_serial(certificate) == (signature.issuer, signature.serial)


def _key_identifier(certificate: Any) -> bytes | None:  # noqa: ANN401 - asn1crypto has no types
    """Return what the extension says; asn1crypto's own way is to read all extensions, however many there are."""
    for extension in certificate["tbs_certificate"]["extensions"]:
        if extension["extn_id"].dotted == _KEY_IDENTIFIER:
            return bytes(extension["extn_value"].parsed.native)
    return None


def _readable(certificates: Iterable[bytes]) -> Iterator[Certificate]:
    for encoded in certificates:
        try:
            yield parse_certificate(encoded, subject="a certificate")
        except MalformedError:
            continue


def _means(identifier: Any, encoded: bytes, subject: str) -> bool:  # noqa: ANN401 - as above
    hash_ = "sha1"
    if isinstance(identifier, tsp.ESSCertIDv2):
        hash_ = read_digest_algorithm(identifier["hash_algorithm"], subject=subject)
    if hashlib.new(hash_, encoded, usedforsecurity=False).digest() != identifier["cert_hash"].native:
        return False
    stated = identifier["issuer_serial"]
    if not isinstance(stated, tsp.IssuerSerial):
        return True
    (name,) = stated["issuer"]
    issuer, serial = _issuer_and_serial(x509.Certificate.load(encoded))
    return (name.name, name.chosen.chosen.dump(), stated["serial_number"].native) == ("directory_name", issuer, serial)


def _issuer_and_serial(certificate: Any) -> tuple[bytes, int]:  # noqa: ANN401 - as above
    return certificate.issuer.dump(), certificate.serial_number
