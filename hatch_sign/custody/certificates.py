"""Certificates for a key in its token: the request to an authority, and the chain that comes back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.custody.private_key import as_private_key
from hatch_sign.trust.names import parse_name
from hatch_sign.trust.pem import MARK
from hatch_sign.trust.pem import parse_certificates as parse_pem_certificates
from hatch_sign.values.certificates import complete_chain, describe_subject, is_for_key
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UnsupportedError, UsageError
from hatch_sign.values.public_keys import describe_key, hash_algorithm, rsa_padding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey

LARGEST_FILE = 2**20
"""Bytes in a file of certificates; a chain is a few kilobytes."""


def make_request(signer: CheckedSigner, subject: str) -> bytes:
    """Return a certificate request for code signing (RFC 2986), in PEM, signed inside the token.

    `subject` is a string of RFC 4514, such as ``CN=Example Ltd,O=Example Ltd,C=SI``; beyond its names, those of EV
    certificates are known. Raises ConfigurationError for one that is none, UnsupportedError for a key that signs no request.
    """
    builder = x509.CertificateSigningRequestBuilder(parse_name(subject))
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return _signed(builder, signer).public_bytes(Encoding.PEM)


def parse_certificates(data: bytes, *, subject: str) -> list[x509.Certificate]:
    """Return the certificates in PEM blocks, or the one in DER. Raises MalformedError, naming `subject`."""
    if len(data) <= LARGEST_FILE:
        if MARK.encode() in data:
            return list(parse_pem_certificates(data, subject))
        with suppress(ValueError, x509.InvalidVersion):
            return [x509.load_der_x509_certificate(data)]
    message = f"{subject}: neither certificates in PEM nor one in DER, of at most {LARGEST_FILE} bytes"
    raise MalformedError(message)


def order_chain(certificates: Sequence[x509.Certificate], key: PublicKey, *, subject: str) -> list[x509.Certificate]:
    """Return `certificates` from that of `key` to its last issuer, whatever order the authority sent them in.

    Raises UsageError, naming `subject`, where none is for `key` or one does not belong to the chain.
    """
    leaf = next((each for each in certificates if is_for_key(each, key)), None)
    if leaf is None:
        count = len(set(certificates))
        found = f"none of its {count} certificates is" if count != 1 else "its certificate is not"
        message = f"{subject}: {found} for this key ({describe_key(key)})"
        raise UsageError(message, remedy="check that the request was made with the key that the reference names")
    chain = complete_chain(leaf, certificates)
    left = [each for each in certificates if each not in chain]
    if left:
        found = display(describe_subject(left[0]))
        message = f"{subject}: the certificate of {found} does not belong to the chain of this key"
        raise UsageError(message, remedy="leave it out")
    return chain


def _signed(builder: x509.CertificateSigningRequestBuilder, signer: CheckedSigner) -> x509.CertificateSigningRequest:
    key = as_private_key(signer)
    scheme = _choose_scheme(signer)
    if scheme.hash is None:
        return builder.sign(key, None)
    if scheme.family == "rsa-pss":
        return builder.sign(key, hash_algorithm(scheme.hash), rsa_padding=rsa_padding(scheme))  # type: ignore[arg-type] # PSS
    return builder.sign(key, hash_algorithm(scheme.hash))  # type: ignore[arg-type] # of the closed table


def _choose_scheme(signer: CheckedSigner) -> Scheme:
    for scheme in signer.schemes:
        return scheme
    message = f"{signer.reference}: the key signs nothing, and so no certificate request"
    raise UnsupportedError(message)
