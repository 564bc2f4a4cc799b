"""One Authenticode signature, made: what is signed, the attributes around it, and the timestamps over it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import core, der_contents
from hatch_sign.formats.cms.encoding import encode_attributes
from hatch_sign.formats.cms.parsing import CONTENT_TYPE, MAX_SIZE, MESSAGE_DIGEST
from hatch_sign.formats.cms.sealing import seal_attributes
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, UnsupportedError
from hatch_sign_authenticode.content import ImageContent, encode_content
from hatch_sign_authenticode.structures import (
    INDIRECT_DATA,
    INDIVIDUAL_CODE_SIGNING,
    OPUS_INFO,
    STATEMENT_TYPE,
    TIMESTAMP,
    SpcLink,
    SpcSpOpusInfo,
    SpcStatementType,
    SpcString,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal

_EMPTY_SEQUENCE = b"\x30\0"
"""What is signed where nothing is to be said; asn1crypto encodes no sequence without fields."""


def make_signature(content: ImageContent, seal: Seal, certificates: Sequence[Certificate]) -> bytes:
    """Return the DER of a signature over `content`, with the timestamps of the run's witnesses.

    Raises UnsupportedError for one that would be larger than verifiers read, WitnessError for evidence that is no
    timestamp, ConfigurationError for a description or address that cannot be put in.
    """
    encoded = encode_content(content)
    if len(encoded) > MAX_SIZE // 2:  # the rest is room for certificates and timestamps
        message = f"the hashes of its pages take {len(encoded)} bytes, expected at most {MAX_SIZE // 2}"
        raise UnsupportedError(message, remedy="unset authenticode-page-hashes")
    attributes = encode_attributes(_signed_attributes(encoded, content.hash, seal.options))
    return seal_attributes(
        attributes, seal, content_type=INDIRECT_DATA, content=encoded, certificates=certificates, timestamp=TIMESTAMP
    )


def _signed_attributes(content: bytes, hash_: str, options: Mapping[str, Any]) -> dict[str, list[bytes]]:
    """Return what is signed. No signing time: that would be the signer's word, and change each signature."""
    message_digest = hashlib.new(hash_, der_contents(content)).digest()
    return {
        CONTENT_TYPE: [core.ObjectIdentifier(INDIRECT_DATA).dump()],
        MESSAGE_DIGEST: [core.OctetString(message_digest).dump()],
        STATEMENT_TYPE: [SpcStatementType([INDIVIDUAL_CODE_SIGNING]).dump()],
        OPUS_INFO: [_opus_info(options)],
    }


def _opus_info(options: Mapping[str, Any]) -> bytes:
    description, url = options.get("authenticode-description"), options.get("authenticode-url")
    fields = {}
    if description:
        fields["program_name"] = SpcString(name="unicode", value=description)
    if url:
        if not url.isascii():
            message = f"`authenticode-url` is {display(url)}, expected ASCII"
            raise ConfigurationError(message, remedy="write the host in Punycode, and other characters percent-encoded")
        fields["more_info"] = SpcLink(name="url", value=url)
    return bytes(SpcSpOpusInfo(fields).dump()) if fields else _EMPTY_SEQUENCE
