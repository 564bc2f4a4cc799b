"""The structures of CMS as this project reads and writes them: attributes stay bytes, whatever their types are.

asn1crypto's own know a fixed list of attributes and decode their values; what is signed must stay what was read.
"""

from __future__ import annotations

from hatch_sign.formats.asn1 import algos, cms, core


class AttributeValues(core.SetOf):  # type: ignore[misc] # asn1crypto has no types
    """``SET OF AttributeValue``."""

    _child_spec = core.Any


class Attribute(core.Sequence):  # type: ignore[misc] # as above
    """``Attribute`` (RFC 5652 §5.3)."""

    _fields = [("type", core.ObjectIdentifier), ("values", AttributeValues)]  # noqa: RUF012 - asn1crypto's way to declare


class Attributes(core.SetOf):  # type: ignore[misc] # as above
    """``SignedAttributes`` and ``UnsignedAttributes`` (RFC 5652 §5.3)."""

    _child_spec = Attribute


class SignerInfo(core.Sequence):  # type: ignore[misc] # as above
    """``SignerInfo`` (RFC 5652 §5.3)."""

    _fields = [  # noqa: RUF012 - as above
        ("version", core.Integer),
        ("sid", cms.SignerIdentifier),
        ("digest_algorithm", algos.DigestAlgorithm),
        ("signed_attrs", Attributes, {"implicit": 0, "optional": True}),
        ("signature_algorithm", algos.SignedDigestAlgorithm),
        ("signature", core.OctetString),
        ("unsigned_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(core.SetOf):  # type: ignore[misc] # as above
    """``SignerInfos`` (RFC 5652 §5.1)."""

    _child_spec = SignerInfo


class ExplicitValue(core.Sequence):  # type: ignore[misc] # as above
    """One value of any type behind an explicit tag, which is encoded as a sequence of one under that tag would be.

    asn1crypto loses an explicit tag when it encodes a value of any type.
    """

    _fields = [("value", core.Any)]  # noqa: RUF012 - as above


class EncapsulatedContent(core.Sequence):  # type: ignore[misc] # as above
    """``EncapsulatedContentInfo`` (RFC 5652 §5.2), and what PKCS #7 has in its place: content of any type (RFC 2315 §7)."""

    _fields = [  # noqa: RUF012 - as above
        ("content_type", core.ObjectIdentifier),
        ("content", ExplicitValue, {"implicit": 0, "optional": True}),
    ]


class Values(core.SetOf):  # type: ignore[misc] # as above
    """A set of values of any type: certificates and revocation lists are told apart by their tags."""

    _child_spec = core.Any


class SignedDataContent(core.Sequence):  # type: ignore[misc] # as above
    """``SignedData`` (RFC 5652 §5.1)."""

    _fields = [  # noqa: RUF012 - as above
        ("version", core.Integer),
        ("digest_algorithms", cms.DigestAlgorithms),
        ("encap_content_info", EncapsulatedContent),
        ("certificates", Values, {"implicit": 0, "optional": True}),
        ("crls", Values, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class ContentInfo(core.Sequence):  # type: ignore[misc] # as above
    """``ContentInfo`` around a ``SignedData`` (RFC 5652 §3)."""

    _fields = [  # noqa: RUF012 - as above
        ("content_type", core.ObjectIdentifier),
        ("content", SignedDataContent, {"explicit": 0}),
    ]
