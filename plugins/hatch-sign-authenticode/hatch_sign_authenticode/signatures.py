"""Authenticode signatures as they lie in a certificate table: read, and taken out of one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hatch_sign.formats.asn1 import core, malformed_asn1, parse_der
from hatch_sign.formats.cms.parsing import MAX_SIZE, CmsSignature, SignedData, parse_signed_data
from hatch_sign.formats.cms.structures import ContentInfo
from hatch_sign.values.errors import MalformedError
from hatch_sign_authenticode.content import ImageContent, read_content
from hatch_sign_authenticode.structures import INDIRECT_DATA, NESTED_SIGNATURE, TIMESTAMP

MAX_SIGNATURES = 16
"""Signatures in one file, those nested in others among them: people put two, for old and new systems."""

_SUBJECT = "the signature"
_SEQUENCE = 0x30
_BROKEN_HASHES = frozenset({"md2", "md5", "sha1"})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as parsed: what it says of the file, and all that is needed to check that it does."""

    content: ImageContent
    signed: SignedData
    cms: CmsSignature

    @property
    def timestamps(self) -> tuple[bytes, ...]:
        """The DER of each RFC 3161 token that it brings. Countersignatures of the older kind prove no time here."""
        return self.cms.unsigned.get(TIMESTAMP, ())


@dataclass(frozen=True, slots=True)
class OldSignature:
    """One whose hash can be forged today, so that nothing in it is worth checking."""

    hash: str


def parse_signatures(blobs: Sequence[bytes]) -> tuple[Signature | OldSignature, ...]:
    """Return the signatures in the entries of a certificate table, each followed by those that are nested in it.

    Raises MalformedError for what is no Authenticode signature of a PE file in DER, whoever made it.
    """
    if (size := sum(map(len, blobs))) > MAX_SIZE:
        message = f"the signatures have {size} bytes together, expected at most {MAX_SIZE}"
        raise MalformedError(message)
    found: list[Signature | OldSignature] = []
    for blob in blobs:
        signature, nested = _parse(blob)
        if len(found) + 1 + len(nested) > MAX_SIGNATURES:
            message = f"the file holds more than {MAX_SIGNATURES} signatures"
            raise MalformedError(message)
        found += [signature, *(_parse_nested(each) for each in nested)]
    return tuple(found)


def unsigned_attributes(blob: bytes) -> dict[str, tuple[bytes, ...]]:
    """Return what the signer of `blob` did not sign, by its dotted numbers. Raises MalformedError."""
    return _unsigned(_signer(blob))


def signature_value(blob: bytes) -> bytes:
    """Return what timestamps of `blob` are over. Raises MalformedError."""
    signer = _signer(blob)
    with malformed_asn1(_SUBJECT):
        return bytes(signer["signature"].native)


def _parse(blob: bytes) -> tuple[Signature | OldSignature, Sequence[bytes]]:
    signer = _signer(blob)
    nested = _unsigned(signer).get(NESTED_SIGNATURE, ())
    with malformed_asn1(_SUBJECT):
        hash_ = signer["digest_algorithm"]["algorithm"].native
    if hash_ in _BROKEN_HASHES:
        return OldSignature(hash_), nested
    signed = parse_signed_data(blob, subject=_SUBJECT)
    if signed.content_type != INDIRECT_DATA or signed.content is None:
        message = f"{_SUBJECT} is over something else than a file: {signed.content_type}"
        raise MalformedError(message)
    content, (cms,) = read_content(signed, subject=_SUBJECT), signed.signatures
    if content.hash != cms.hash:
        message = f"{_SUBJECT} is made with {cms.hash}, and the digest of the file in it with {content.hash}"
        raise MalformedError(message)
    return Signature(content, signed, cms), nested


def _parse_nested(blob: bytes) -> Signature | OldSignature:
    signature, nested = _parse(blob)
    if nested:  # nobody makes that, and each level would be read once more for each above it
        message = f"a signature that is nested in another holds {len(nested)} more"
        raise MalformedError(message)
    return signature


def _unsigned(signer: Any) -> dict[str, tuple[bytes, ...]]:  # noqa: ANN401 - asn1crypto has no types
    with malformed_asn1(_SUBJECT):
        attributes = signer["unsigned_attrs"]
        if isinstance(attributes, core.Void):
            return {}
        return {each["type"].dotted: tuple(value.dump() for value in each["values"]) for each in attributes}


def _signer(blob: bytes) -> Any:  # noqa: ANN401 - as above
    """Return the one ``SignerInfo``. A file has one signer for each signature: what several mean, Windows does not say."""
    info = parse_der(ContentInfo, blob, subject=_SUBJECT, longest=MAX_SIZE)
    with malformed_asn1(_SUBJECT):
        signers = info["content"]["signer_infos"]
        if len(signers) != 1:
            message = f"{_SUBJECT} has {len(signers)} signers, expected one"
            raise MalformedError(message)
        content = info["content"]["encap_content_info"]["content"]
        # Digests leave its tag out, so that nobody else would notice another.
        if not isinstance(content, core.Void) and content.contents[0] != _SEQUENCE:
            message = f"{_SUBJECT} is over a value of another kind than a sequence"
            raise MalformedError(message)
        return signers[0]
