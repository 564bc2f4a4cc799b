"""CMS signatures, read and checked (RFC 5652): for files beside artifacts, timestamps and Authenticode alike.

Only signatures over attributes are read: one over the bare content could be passed off as one over attributes, and the
other way round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import core, der_contents, encode_der, malformed_asn1, parse_der, require_known_fields
from hatch_sign.formats.cms.algorithms import read_digest_algorithm, read_scheme
from hatch_sign.formats.cms.structures import ContentInfo
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.public_keys import verify_message

if TYPE_CHECKING:
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"

MAX_SIZE = 4 << 20
"""Bytes in one signature, with all its certificates and timestamps."""
MAX_CERTIFICATES = 32
MAX_SIGNERS = 8
MAX_ATTRIBUTES = 32
MAX_VALUES = 32
"""Values of one attribute: a signature may hold that many timestamps, or signatures nested in it."""

_SET, _CERTIFICATE = 0x31, 0x30
_STRUCTURE_VERSIONS = frozenset({1, 3, 4, 5})
_SIGNER_VERSIONS = frozenset({1, 3})


@dataclass(frozen=True, slots=True)
class CmsSignature:
    """What one signer made.

    `issuer` (the DER of a name) and `serial`, or else `key_identifier`, say which certificate is meant. `signed` is what
    the signature is over: the DER of the signed attributes as a SET. `attributes` and `unsigned` map dotted numbers to the
    DER of each value. `hash` is that of `message_digest`, which is over the content.
    """

    hash: str
    scheme: Scheme
    signed: bytes
    attributes: Mapping[str, tuple[bytes, ...]] = field(hash=False)
    message_digest: bytes
    signature: bytes
    unsigned: Mapping[str, tuple[bytes, ...]] = field(hash=False)
    issuer: bytes = b""
    serial: int = 0
    key_identifier: bytes = b""

    def is_by(self, key: PublicKey) -> bool:
        """Return whether `key` made the signature over the attributes; they say what of the content is signed."""
        return verify_message(key, self.signature, self.signed, self.scheme)

    def is_over(self, content: bytes) -> bool:
        """Return whether the attributes hold the digest of `content`."""
        return hashlib.new(self.hash, content).digest() == self.message_digest


@dataclass(frozen=True, slots=True)
class SignedData:
    """One CMS structure as parsed, with one signature at least.

    `content` is what digests are over, without the tag and length of what is encapsulated, as CMS and PKCS #7 have it
    (RFC 5652 §5.4); None for a detached signature. `certificates` are DER, in the order of the encoding, which says nothing.
    """

    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    signatures: tuple[CmsSignature, ...]


def parse_signed_data(data: bytes, *, subject: str, longest: int = MAX_SIZE) -> SignedData:
    """Read a ``ContentInfo`` that holds ``SignedData``, in DER. Raises MalformedError, naming `subject`.

    Each signer must have signed attributes, the content type and one message digest among them (RFC 5652 §11.1, §11.2),
    by a hash that the structure announces. Attributes that are out of the order of DER are taken as they are, as openssl
    does: what is read is what the signature is over. Nothing is verified here.
    """
    info = parse_der(ContentInfo, data, subject=subject, longest=longest)
    with malformed_asn1(subject):
        if info["content_type"].dotted != SIGNED_DATA:
            message = f"{subject} is no signature in CMS"
            raise MalformedError(message)
        signed = info["content"]
        _require_version(signed["version"], _STRUCTURE_VERSIONS, subject)
        encapsulated = signed["encap_content_info"]
        require_known_fields(info, signed, encapsulated)
        content_type = encapsulated["content_type"].dotted
        return SignedData(
            content_type=content_type,
            content=_contents(encapsulated["content"]),
            certificates=tuple(_certificates(signed["certificates"], subject)),
            signatures=tuple(_signatures(signed, content_type, subject)),
        )


def single_value(attributes: Mapping[str, tuple[bytes, ...]], number: str, *, subject: str) -> bytes | None:
    """Return the DER of an attribute's only value; None where it is not there. Raises MalformedError for several."""
    values = attributes.get(number)
    if values is not None and len(values) != 1:
        message = f"{subject} has {len(values)} values of the attribute {number}, expected one"
        raise MalformedError(message)
    return values[0] if values else None


def _contents(value: Any) -> bytes | None:  # noqa: ANN401 - asn1crypto has no types
    return None if isinstance(value, core.Void) else der_contents(value.contents)


def _certificates(values: Any, subject: str) -> Iterator[bytes]:  # noqa: ANN401 - as above
    """Yield the certificates; attribute certificates and the like, which have tags of their own, are passed over."""
    if isinstance(values, core.Void):
        return
    if len(values) > MAX_CERTIFICATES:
        message = f"{subject} holds {len(values)} certificates, expected at most {MAX_CERTIFICATES}"
        raise MalformedError(message)
    yield from (encoded for value in values if (encoded := value.dump())[0] == _CERTIFICATE)


def _signatures(signed: Any, content_type: str, subject: str) -> Iterator[CmsSignature]:  # noqa: ANN401 - as above
    values, announced = signed["signer_infos"], signed["digest_algorithms"]
    if not 0 < len(values) <= MAX_SIGNERS or len(announced) > MAX_SIGNERS:
        found = f"{len(values)} signatures and {len(announced)} hashes"
        message = f"{subject} holds {found}, expected 1 to {MAX_SIGNERS}"
        raise MalformedError(message)
    hashes = {each["algorithm"].native for each in announced}
    for value in values:
        signature = _signature(value, content_type, subject)
        if signature.hash not in hashes:
            message = f"{subject} does not announce the hash {signature.hash} of a signature in it"
            raise MalformedError(message)
        yield signature


def _require_version(value: Any, versions: frozenset[int], subject: str) -> None:  # noqa: ANN401 - as above
    if value.native not in versions:
        message = f"{subject} is of a version that is not known, expected one of {', '.join(map(str, sorted(versions)))}"
        raise MalformedError(message)


def _signature(value: Any, content_type: str, subject: str) -> CmsSignature:  # noqa: ANN401 - as above
    require_known_fields(value, value["digest_algorithm"], value["signature_algorithm"])
    _require_version(value["version"], _SIGNER_VERSIONS, subject)
    hash_ = read_digest_algorithm(value["digest_algorithm"], subject=subject)
    attributes = _attributes(value["signed_attrs"], subject)
    if single_value(attributes, CONTENT_TYPE, subject=subject) != core.ObjectIdentifier(content_type).dump():
        message = f"{subject} has no signed attributes with its content type"
        raise MalformedError(message)
    digest = single_value(attributes, MESSAGE_DIGEST, subject=subject)
    if digest is None or len(message_digest := core.OctetString.load(digest, strict=True).native) != DIGEST_SIZES[hash_]:
        message = f"{subject} has no message digest by {hash_} among its signed attributes"
        raise MalformedError(message)
    return CmsSignature(
        hash=hash_,
        scheme=read_scheme(value["signature_algorithm"], hash_, subject=subject),
        signed=encode_der(_SET, value["signed_attrs"].contents),
        attributes=attributes,
        message_digest=message_digest,
        signature=value["signature"].native,
        unsigned=_attributes(value["unsigned_attrs"], subject),
        **_identifier(value["sid"]),
    )


def _attributes(values: Any, subject: str) -> Mapping[str, tuple[bytes, ...]]:  # noqa: ANN401 - as above
    if isinstance(values, core.Void):
        return {}
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in values if len(values) <= MAX_ATTRIBUTES else ():
        require_known_fields(attribute)
        number, items = attribute["type"].dotted, attribute["values"]
        if number in found or not 0 < len(items) <= MAX_VALUES:
            message = f"{subject} has the attribute {number} twice, or {len(items)} values of it"
            raise MalformedError(message)
        found[number] = tuple(item.dump() for item in items)
    if len(found) != len(values):
        message = f"{subject} has {len(values)} attributes, expected at most {MAX_ATTRIBUTES}"
        raise MalformedError(message)
    return found


def _identifier(sid: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    if sid.name == "subject_key_identifier":
        return {"key_identifier": sid.chosen.native}
    require_known_fields(sid.chosen)
    return {"issuer": sid.chosen["issuer"].dump(), "serial": sid.chosen["serial_number"].native}
