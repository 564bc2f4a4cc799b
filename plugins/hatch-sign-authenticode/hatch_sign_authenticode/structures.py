"""The structures that Authenticode adds to PKCS #7 ("Windows Authenticode Portable Executable Signature Format", 2008)."""

from __future__ import annotations

from hatch_sign.formats.asn1 import algos, core

_MICROSOFT = "1.3.6.1.4.1.311"
INDIRECT_DATA = f"{_MICROSOFT}.2.1.4"
"""The type of what is signed: a digest of the file, and what kind of file it is."""
STATEMENT_TYPE = f"{_MICROSOFT}.2.1.11"
OPUS_INFO = f"{_MICROSOFT}.2.1.12"
PE_IMAGE_DATA = f"{_MICROSOFT}.2.1.15"
INDIVIDUAL_CODE_SIGNING = f"{_MICROSOFT}.2.1.21"
PAGE_HASHES = {"sha1": f"{_MICROSOFT}.2.3.1", "sha256": f"{_MICROSOFT}.2.3.2"}
NESTED_SIGNATURE = f"{_MICROSOFT}.2.4.1"
"""The unsigned attribute that holds further signatures over the same file."""
TIMESTAMP = f"{_MICROSOFT}.3.3.1"
"""The unsigned attribute that holds an RFC 3161 token over the signature."""

PAGE_HASHES_CLASS = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
"""The identifier of the class of objects that page hashes are serialized as."""


class SpcString(core.Choice):  # type: ignore[misc] # asn1crypto has no types
    """``SpcString``."""

    _alternatives = [  # noqa: RUF012 - asn1crypto's way to declare
        ("unicode", core.BMPString, {"implicit": 0}),
        ("ascii", core.IA5String, {"implicit": 1}),
    ]


class SpcSerializedObject(core.Sequence):  # type: ignore[misc] # as above
    """``SpcSerializedObject``."""

    _fields = [("class_id", core.OctetString), ("serialized_data", core.OctetString)]  # noqa: RUF012 - as above


class SpcLink(core.Choice):  # type: ignore[misc] # as above
    """``SpcLink``."""

    _alternatives = [  # noqa: RUF012 - as above
        ("url", core.IA5String, {"implicit": 0}),
        ("moniker", SpcSerializedObject, {"implicit": 1}),
        ("file", SpcString, {"explicit": 2}),
    ]


class SpcPeImageData(core.Sequence):  # type: ignore[misc] # as above
    """``SpcPeImageData``: nothing that matters, or a link whose moniker holds the hashes of the pages."""

    _fields = [  # noqa: RUF012 - as above
        ("flags", core.BitString, {"optional": True}),
        ("file", SpcLink, {"explicit": 0, "optional": True}),
    ]


class SpcAttributeTypeAndOptionalValue(core.Sequence):  # type: ignore[misc] # as above
    """``SpcAttributeTypeAndOptionalValue`` of an image."""

    _fields = [("type", core.ObjectIdentifier), ("value", SpcPeImageData, {"optional": True})]  # noqa: RUF012 - as above


class SpcIndirectDataContent(core.Sequence):  # type: ignore[misc] # as above
    """``SpcIndirectDataContent``."""

    _fields = [  # noqa: RUF012 - as above
        ("data", SpcAttributeTypeAndOptionalValue),
        ("message_digest", algos.DigestInfo),
    ]


class PageHashValues(core.SetOf):  # type: ignore[misc] # as above
    """The value of page hashes: a set of one string."""

    _child_spec = core.OctetString


class PageHashAttribute(core.Sequence):  # type: ignore[misc] # as above
    """``SpcAttributeTypeAndOptionalValue`` of page hashes, whose type names the hash."""

    _fields = [("type", core.ObjectIdentifier), ("value", PageHashValues)]  # noqa: RUF012 - as above


class PageHashAttributes(core.SetOf):  # type: ignore[misc] # as above
    """What the moniker of an image with page hashes holds: a set of one attribute."""

    _child_spec = PageHashAttribute


class SpcSpOpusInfo(core.Sequence):  # type: ignore[misc] # as above
    """``SpcSpOpusInfo``: what Windows shows before it asks whether to run a program."""

    _fields = [  # noqa: RUF012 - as above
        ("program_name", SpcString, {"explicit": 0, "optional": True}),
        ("more_info", SpcLink, {"explicit": 1, "optional": True}),
    ]


class SpcStatementType(core.SequenceOf):  # type: ignore[misc] # as above
    """``SpcStatementType``."""

    _child_spec = core.ObjectIdentifier
