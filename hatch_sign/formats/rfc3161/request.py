"""What is asked of a timestamp authority (RFC 3161 §2.4.1)."""

from __future__ import annotations

from hatch_sign.formats.asn1 import tsp
from hatch_sign.formats.cms.algorithms import encode_digest_algorithm
from hatch_sign.values.algorithms import DIGEST_SIZES


def encode_request(imprint: bytes, *, hash_: str, nonce: int) -> bytes:
    """Return the DER of a ``TimeStampReq`` for a digest by `hash_`, which asks for the authority's certificates, too.

    `nonce` is to be an unguessable number of 64 bits or more: an old answer must not pass for a new one. Raises ValueError
    for a digest of another length, and for a negative nonce.
    """
    if len(imprint) != DIGEST_SIZES[hash_] or nonce < 0:
        message = f"expected a {hash_} digest of {DIGEST_SIZES[hash_]} bytes and a nonce that is not negative"
        raise ValueError(message)
    request = {
        "version": 1,
        "message_imprint": {"hash_algorithm": encode_digest_algorithm(hash_), "hashed_message": imprint},
        "nonce": nonce,
        "cert_req": True,
    }
    return bytes(tsp.TimeStampReq(request).dump())
