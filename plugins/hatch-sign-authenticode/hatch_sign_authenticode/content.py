"""What an Authenticode signature says of a file: its digest, and the hashes of its pages where there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import core, encode_der, malformed_asn1, parse_der
from hatch_sign.formats.cms.algorithms import encode_digest_algorithm, read_digest_algorithm
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign_authenticode.structures import (
    PAGE_HASHES,
    PAGE_HASHES_CLASS,
    PE_IMAGE_DATA,
    PageHashAttributes,
    SpcAttributeTypeAndOptionalValue,
    SpcIndirectDataContent,
    SpcLink,
    SpcPeImageData,
    SpcSerializedObject,
    SpcString,
)

if TYPE_CHECKING:
    from hatch_sign.formats.cms.parsing import SignedData

MAX_SIZE = 64 << 20
"""Bytes: page hashes take 36 of every 4096, and files may have 4 GiB."""

_OBSOLETE = "<<<Obsolete>>>"
_SEQUENCE = 0x30
_HASHES_OF_PAGES = {number: hash_ for hash_, number in PAGE_HASHES.items()}


@dataclass(frozen=True, slots=True)
class PageHashes:
    """The hash of each page, as :func:`hatch_sign_authenticode.pe.page_hashes` returns them."""

    hash: str
    table: bytes


@dataclass(frozen=True, slots=True)
class ImageContent:
    """What is signed: `digest` of the file under `hash`, and what is said of its pages."""

    hash: str
    digest: bytes
    pages: PageHashes | None = None


def encode_content(content: ImageContent) -> bytes:
    """Return the DER of ``SpcIndirectDataContent``."""
    obsolete = SpcLink(name="file", value=SpcString(name="unicode", value=_OBSOLETE))
    link = obsolete if content.pages is None else _encode_pages(content.pages)
    image = SpcPeImageData({"flags": core.BitString(()), "file": link})
    digest = {"digest_algorithm": encode_digest_algorithm(content.hash), "digest": content.digest}
    data = SpcAttributeTypeAndOptionalValue({"type": PE_IMAGE_DATA, "value": image})
    return bytes(SpcIndirectDataContent({"data": data, "message_digest": digest}).dump())


def read_content(signed: SignedData, *, subject: str) -> ImageContent:
    """Return what a signature says. Raises MalformedError, naming `subject`, for one that is not about an image."""
    encoded = encode_der(_SEQUENCE, signed.content or b"")
    content = parse_der(SpcIndirectDataContent, encoded, subject=subject, longest=MAX_SIZE)
    with malformed_asn1(subject):
        kind = content["data"]["type"].dotted
        if kind != PE_IMAGE_DATA:
            message = f"{subject} is for a file of another kind than PE: {kind}"
            raise MalformedError(message)
        hash_ = read_digest_algorithm(content["message_digest"]["digest_algorithm"], subject=subject)
        digest = content["message_digest"]["digest"].native
        if len(digest) != DIGEST_SIZES[hash_]:
            message = f"{subject} holds a digest of {len(digest)} bytes, expected {DIGEST_SIZES[hash_]} for {hash_}"
            raise MalformedError(message)
        return ImageContent(hash_, digest, _read_pages(content["data"]["value"], subject))


def _encode_pages(pages: PageHashes) -> Any:  # noqa: ANN401 - asn1crypto has no types
    attributes = PageHashAttributes([{"type": PAGE_HASHES[pages.hash], "value": [pages.table]}])
    moniker = SpcSerializedObject({"class_id": PAGE_HASHES_CLASS, "serialized_data": attributes.dump()})
    return SpcLink(name="moniker", value=moniker)


def _read_pages(image: Any, subject: str) -> PageHashes | None:  # noqa: ANN401 - as above
    if isinstance(image, core.Void) or isinstance(image["file"], core.Void) or image["file"].name != "moniker":
        return None
    moniker = image["file"].chosen
    if moniker["class_id"].native != PAGE_HASHES_CLASS:
        message = f"{subject} holds an object of an unknown class: {display(moniker['class_id'].native.hex())}"
        raise MalformedError(message)
    attributes = parse_der(PageHashAttributes, moniker["serialized_data"].native, subject=subject, longest=MAX_SIZE)
    (attribute,) = attributes
    (table,) = attribute["value"]
    return PageHashes(_HASHES_OF_PAGES[attribute["type"].dotted], table.native)
