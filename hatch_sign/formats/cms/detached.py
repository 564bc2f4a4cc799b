"""The file beside an artifact: one detached CMS signature over its bytes, in DER or PEM, with timestamps in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.formats.certificates import certified_key
from hatch_sign.formats.cms.armor import without_armor
from hatch_sign.formats.cms.parsing import DATA, MAX_SIZE, parse_signed_data
from hatch_sign.formats.cms.signers import signer_chain
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.formats.cms.parsing import CmsSignature
    from hatch_sign.values.public_keys import PublicKey

SUBJECT = "the CMS signature"
TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
"""The unsigned attribute for timestamps over the signature (RFC 3161, appendix A)."""


@dataclass(frozen=True, slots=True)
class DetachedSignature:
    """One file as parsed. `certificates` begin with the signer's; they are empty where it is not inside.

    `key` is that of the signer's certificate; None without one, and for a key that is not of the table. `der` is the file
    without its PEM.
    """

    signature: CmsSignature
    certificates: tuple[Certificate, ...]
    key: PublicKey | None
    der: bytes

    @property
    def timestamps(self) -> tuple[bytes, ...]:
        """The tokens (DER) over the signature, as they are."""
        return self.signature.unsigned.get(TIMESTAMP, ())


def parse_detached(data: bytes) -> DetachedSignature:
    """Read a file in DER or PEM. Raises MalformedError.

    The signature must be the only one in it, over data that lies elsewhere. Over content of another type, such as the time
    in a timestamp, it would be about that: what somebody signed for another purpose must not vouch for an artifact.
    """
    der = without_armor(data, subject=SUBJECT, longest=MAX_SIZE)
    signed = parse_signed_data(der, subject=SUBJECT)
    if signed.content is not None or signed.content_type != DATA:
        message = f"{SUBJECT} is not one over data that lies in a file of its own"
        raise MalformedError(message)
    if len(signed.signatures) != 1:
        message = f"{SUBJECT} is by {len(signed.signatures)} signers, expected one"
        raise MalformedError(message)
    (signature,) = signed.signatures
    certificates = signer_chain(signed, signature, subject=SUBJECT)
    key = certified_key(certificates[0], subject=f"the certificate in {SUBJECT}") if certificates else None
    return DetachedSignature(signature, certificates, key, der)
