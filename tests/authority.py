"""A certification authority of the tests: certificates, revocation lists and OCSP answers, good ones and faulty ones.

Nothing here is kept on disk, and an authority has a new key each time, so two of the same title are strangers.
Chains that many tests use come from :func:`code_signing_chain` and :func:`make_tsa`, which remember what they made:
RSA keys are slow to make.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from tests.certificate_extensions import Extensions, Usage, for_usage, key_usage, places_of_status
from tests.holders import Holder, HolderFiles, PrivateKey, PublicKey, chain_pem, make_key, private_pem, rsa_key

__all__ = [
    "AUTHORITY_BEGINS",
    "AUTHORITY_ENDS",
    "BEGINS",
    "DAY",
    "ENDS",
    "NOW",
    "Authority",
    "Extensions",
    "Holder",
    "HolderFiles",
    "PrivateKey",
    "PublicKey",
    "Usage",
    "chain_pem",
    "code_signing_chain",
    "key_usage",
    "make_key",
    "make_tsa",
    "name",
    "private_pem",
    "rsa_key",
]

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
BEGINS, ENDS = NOW - 30 * DAY, NOW + 365 * DAY  # Of what an authority issues, unless told otherwise.
AUTHORITY_BEGINS, AUTHORITY_ENDS = NOW - 3650 * DAY, NOW + 3650 * DAY


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SI"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


class Authority:
    """An authority whose own certificate is issued by `above`, or by itself.

    :param crl_url: where its own certificate says that its issuer's revocation list is; `ocsp_url` alike.
    :param extensions: more extensions of its own certificate, each with whether it is critical.
    """

    def __init__(  # noqa: PLR0913 - each argument is a mistake that some test makes
        self,
        title: str = "Test Root",
        *,
        above: Authority | None = None,
        algorithm: str = "ecdsa-p256",
        key: PrivateKey | None = None,
        not_before: datetime = AUTHORITY_BEGINS,
        not_after: datetime = AUTHORITY_ENDS,
        path_length: int | None = None,
        is_authority: bool = True,
        crl_url: str | None = None,
        ocsp_url: str | None = None,
        extensions: Extensions = (),
    ) -> None:
        self.title = title
        self.above = above
        self.key = key or make_key(algorithm)
        constraints = (x509.BasicConstraints(is_authority, path_length if is_authority else None), True)
        uses = key_usage("key_cert_sign", "crl_sign") if is_authority else key_usage("digital_signature")
        own = (constraints, (uses, True), *places_of_status(crl_url, ocsp_url), *extensions)
        self.certificate = (above or self)._issue(name(title), self.key, (not_before, not_after), own)

    @property
    def pem(self) -> bytes:
        return chain_pem(self.certificate)

    @property
    def root(self) -> x509.Certificate:
        return self.above.root if self.above else self.certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Return the certificates from its own up to the root, which is left out."""
        return (self.certificate, *self.above.chain) if self.above else ()

    def issue(  # noqa: PLR0913 - each argument is a mistake that some test makes
        self,
        subject: x509.Name | str,
        key: PrivateKey | PublicKey,
        *,
        usage: Usage | None = "code-signing",
        not_before: datetime = BEGINS,
        not_after: datetime = ENDS,
        crl_url: str | None = None,
        ocsp_url: str | None = None,
        extensions: Extensions = (),
    ) -> x509.Certificate:
        """Return a certificate of `key`, or of its public half.

        Without a usage it has no extended key usage; give a strange one in `extensions`. That of timestamping is
        critical and alone (RFC 3161 §2.3); an OCSP signer is exempt from revocation (RFC 6960 §4.2.2.2.1).
        """
        own = [(x509.BasicConstraints(ca=False, path_length=None), True), (key_usage("digital_signature"), True)]
        wanted = (*own, *for_usage(usage), *places_of_status(crl_url, ocsp_url), *extensions)
        return self._issue(name(subject) if isinstance(subject, str) else subject, key, (not_before, not_after), wanted)

    def holder(self, subject: str, key: PrivateKey | None = None, **options: object) -> Holder:
        """Issue to a new key, or to `key`, with the options of :meth:`issue`."""
        key = key or make_key("ecdsa-p256")
        return Holder(key, (self.issue(subject, key, **options), *self.chain), self.root, self)

    def server(self) -> Holder:
        """Return a certificate of a TLS server on the loopback."""
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return self.holder("127.0.0.1", usage="server", extensions=[(x509.SubjectAlternativeName(names), False)])

    def revocation_list(
        self,
        revoked: Mapping[x509.Certificate, tuple[datetime, x509.ReasonFlags | None]] | None = None,
        *,
        this_update: datetime = NOW - DAY,
        next_update: datetime = NOW + 7 * DAY,
        key: PrivateKey | None = None,
        number: int = 1,
        extensions: Extensions = (),
    ) -> bytes:
        """Return a revocation list in DER (RFC 5280 §5), signed by `key` if that is not the authority's own."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, this_update, next_update)
        for certificate, (when, reason) in (revoked or {}).items():
            builder = builder.add_revoked_certificate(_revoked(certificate, when, reason))
        numbered = ((self._authority_key_identifier(), False), (x509.CRLNumber(number), False), *extensions)
        for extension, critical in numbered:
            builder = builder.add_extension(extension, critical)
        signing = key or self.key
        return builder.sign(signing, _hash(signing)).public_bytes(Encoding.DER)

    def ocsp_response(  # noqa: PLR0913 - each argument is a mistake that some test makes
        self,
        certificate: x509.Certificate,
        *,
        status: Literal["good", "revoked", "unknown"] = "good",
        revoked_at: datetime = NOW - DAY,
        reason: x509.ReasonFlags | None = None,
        this_update: datetime = NOW - DAY,
        next_update: datetime | None = NOW + 7 * DAY,
        responder: Holder | None = None,
        issuer: x509.Certificate | None = None,
        nonce: bytes | None = None,
        hash_: hashes.HashAlgorithm | None = None,
    ) -> bytes:
        """Return an OCSP response in DER (RFC 6960), signed by the authority itself or by `responder`.

        :param issuer: who the response says issued the certificate, if not this authority.
        :param hash_: of the names in the certificate's identifier; SHA-1 unless given, as most ask it.
        """
        is_revoked = status == "revoked"
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate,
            issuer or self.certificate,
            hash_ or hashes.SHA1(),  # noqa: S303 - a lookup key, no signature (RFC 5019 §2.1.1)
            ocsp.OCSPCertStatus[status.upper()],
            this_update,
            next_update,
            revoked_at if is_revoked else None,
            reason if is_revoked else None,
        )
        who = responder.certificate if responder else self.certificate
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, who)
        if responder:
            builder = builder.certificates(responder.certificates[:1])
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        signing = responder.key if responder else self.key
        return builder.sign(signing, _hash(signing)).public_bytes(Encoding.DER)

    def _issue(
        self, subject: x509.Name, key: PrivateKey | PublicKey, validity: tuple[datetime, datetime], extensions: Extensions
    ) -> x509.Certificate:
        begins, ends = validity
        public = key if isinstance(key, PublicKey) else key.public_key()
        builder = x509.CertificateBuilder(name(self.title), subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        # From Python 3.13 on, TLS is strict about these (RFC 5280 §4.2.1.1, §4.2.1.2).
        own = x509.SubjectKeyIdentifier.from_public_key(public)
        for extension, critical in ((own, False), (self._authority_key_identifier(), False), *extensions):
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, _hash(self.key))

    def _authority_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())


@cache
def code_signing_chain(algorithm: str = "rsa-3072", length: int = 3) -> Holder:
    """Return a code-signing key under `length` certificates, root included; with 1 it signed its own certificate."""
    key = make_key(algorithm)
    if length == 1:
        itself = Authority("Self-signed Code Signer", key=key, is_authority=False, extensions=for_usage("code-signing"))
        return Holder(key, (itself.certificate,), itself.certificate)
    return _authorities("Code Signing", algorithm, length).holder("Example Code Signer", key)


@cache
def make_tsa(algorithm: str = "rsa-2048", length: int = 2) -> Holder:
    """Return the key of a timestamp authority under `length` certificates, root included, of at least two."""
    authority = _authorities("Timestamping", algorithm, length)
    return authority.holder("Example Timestamp Authority", make_key(algorithm), usage="timestamping")


def _authorities(title: str, algorithm: str, length: int) -> Authority:
    """Return the lowest of the authorities above a leaf; their keys are of its kind, but quick to make."""
    own = "rsa-2048" if algorithm.startswith("rsa-") else "ecdsa-p256"
    authority = Authority(f"{title} Root", algorithm=own)
    for number in range(1, length - 1):
        authority = Authority(f"{title} Intermediate {number}", above=authority, algorithm=own)
    return authority


def _revoked(certificate: x509.Certificate, when: datetime, reason: x509.ReasonFlags | None) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(certificate.serial_number, when)
    if reason is not None:
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()


def _hash(key: PrivateKey) -> hashes.HashAlgorithm | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
