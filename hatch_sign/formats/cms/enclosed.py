"""CMS signatures over content that lies inside them, such as the digest of a file that they are embedded in."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hatch_sign.contract import Facts, Finding
from hatch_sign.formats.asn1 import core, der_contents
from hatch_sign.formats.certificates import certified_key
from hatch_sign.formats.cms.encoding import AttributeTable, encode_attributes
from hatch_sign.formats.cms.parsing import CONTENT_TYPE, MESSAGE_DIGEST
from hatch_sign.formats.cms.sealing import require_certificate, seal_attributes
from hatch_sign.formats.cms.signers import signer_chain
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.formats.cms.parsing import SignedData


def sign_enclosed(
    content: bytes,
    *,
    content_type: str,
    seal: Seal,
    certificates: Sequence[Certificate],
    timestamp: str,
    attributes: AttributeTable | None = None,
) -> bytes:
    """Return the DER of a signature over `content`, itself DER, by the hash of the seal's scheme.

    The `attributes` are signed too; `timestamp` is the number of the unsigned attribute that timestamps go into. Raises
    UnsupportedError without certificates, WitnessError for evidence that is no timestamp.
    """
    require_certificate(certificates)
    message_digest = core.OctetString(hashlib.new(str(seal.scheme.hash), der_contents(content)).digest())
    required = {CONTENT_TYPE: [core.ObjectIdentifier(content_type).dump()], MESSAGE_DIGEST: [message_digest.dump()]}
    signed = encode_attributes(required | dict(attributes or {}))
    return seal_attributes(
        signed, seal, content_type=content_type, content=content, certificates=certificates, timestamp=timestamp
    )


def check_enclosed(signed: SignedData, content: bytes, *, timestamp: str, subject: str) -> Finding:
    """Return the facts of the only signature in `signed`, or why it is not one over `content`, DER.

    Raises MalformedError, naming `subject`, for several signatures, and for certificates that cannot be the signer's.
    """
    if len(signed.signatures) != 1:
        message = f"{subject} is by {len(signed.signatures)} signers, expected one"
        raise MalformedError(message)
    (signature,) = signed.signatures
    if signed.content != der_contents(content) or not signature.is_over(signed.content):
        return Finding(problem=Verdict.HASH_MISMATCH, detail=f"{subject} is over another digest than that of the file")
    chain = signer_chain(signed, signature, subject=subject)
    key = certified_key(chain[0], subject=f"the certificate in {subject}") if chain else None
    if key is None or not signature.is_by(key):
        return Finding(problem=Verdict.UNTRUSTED, detail=f"{subject} is not by the key of a certificate in it")
    timestamps = signature.unsigned.get(timestamp, ())
    return Finding(facts=(Facts(key, signature.scheme, signature.signature, chain, timestamps),))
