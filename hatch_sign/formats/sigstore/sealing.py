"""What every producer of bundles does alike: choose schemes, sign statements, and gather the verification material."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hatch_sign.formats.dsse import Envelope, encode_envelope, pre_authentication_encoding
from hatch_sign.formats.intoto import PAYLOAD_TYPE, Statement, encode_statement
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, carried_schemes, encode_bundle
from hatch_sign.formats.strict_json import encode_json_text
from hatch_sign.values.errors import MalformedError, UnsupportedError, WitnessError
from hatch_sign.values.public_keys import key_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey


def bundle_schemes(key: PublicKey) -> Sequence[Scheme]:
    """Return what bundles carry for such a key, SHA-256 first, whatever the curve.

    cosign up to 3.1.3 hashes with SHA-256 for every key, and @sigstore/verify does so for every envelope: the longer
    hashes are for keys that can do no other. PSS is left out, because a bundle cannot say that it was used, and both
    read every RSA signature as PKCS#1 v1.5.
    """
    return sorted(carried_schemes(key), key=lambda scheme: scheme.hash != "sha256")


def sign_statement(statement: Statement, seal: Seal) -> bytes:
    """Return a bundle that holds the statement in a DSSE envelope; raises as :func:`seal_bundle`."""
    payload = encode_statement(statement)
    message = pre_authentication_encoding(PAYLOAD_TYPE, payload)
    digest = hashlib.new(seal.scheme.hash or "sha512", message).digest()
    return seal_bundle(lambda: Envelope(payload, PAYLOAD_TYPE, seal.sign(message)), digest, seal)


def seal_bundle(sign: Callable[[], MessageSignature | Envelope], digest: bytes, seal: Seal) -> bytes:
    """Return the bundle around what `sign` makes, with the evidence of the witnesses; `digest` is what is signed.

    Raises UnsupportedError, before it signs, where a certificate is to be put in and there is none, and WitnessError
    for evidence that is no log entry.
    """
    certificates = _leaf(seal)
    content = sign()
    envelope = encode_json_text(encode_envelope(content)) if isinstance(content, Envelope) else None
    evidence = seal.witness(content.signature, digest, envelope)
    bundle = Bundle(
        content=content,
        hint=None if certificates else key_hint(seal.public_key),
        certificates=certificates,
        timestamps=tuple(item.data for item in evidence if item.kind == "timestamp"),
        log_entries=tuple(item.data for item in evidence if item.kind == "log-entry"),
    )
    try:
        return encode_bundle(bundle)
    except MalformedError as error:
        raise WitnessError(error.message) from None


def carried_certificates(seal: Seal) -> tuple[Certificate, ...]:
    """Return the leaf where the configuration wants it in the bundle. Version 0.3 has no room for its issuers."""
    return tuple(seal.certificates[:1]) if seal.options.get("bundle-certificate", False) else ()


def _leaf(seal: Seal) -> tuple[bytes, ...]:
    if seal.options.get("bundle-certificate", False) and not seal.certificates:
        message = "bundle-certificate is set, and the key has no certificate"
        raise UnsupportedError(message, remedy="set certificates to the file that holds it, or unset bundle-certificate")
    carried = carried_certificates(seal)
    if not carried:
        return ()
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - 20 ms, and hints do without

    return tuple(certificate.public_bytes(Encoding.DER) for certificate in carried)
