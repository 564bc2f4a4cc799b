"""Sigstore bundles: one signature and what is needed to check it, in one JSON file.

Shape: ``sigstore_bundle.proto`` of sigstore's protobuf-specs. Versions 0.1 to 0.3 are read, 0.3 is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.dsse import Envelope, encode_envelope, parse_envelope
from hatch_sign.formats.sigstore.log_entry import encode_log_entry, normalise_log_entry, parse_log_entry
from hatch_sign.formats.strict_json import (
    as_list,
    as_object,
    decode_base64,
    encode_base64,
    encode_json,
    field,
    optional_field,
    parse_json,
)
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.public_keys import schemes_of_key

if TYPE_CHECKING:
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
"""The version that is written."""
MAX_EVIDENCE = 32
"""Timestamps, and log entries, in one bundle; sigstore-go stops at the same number."""

_OLD_MEDIA_TYPES = frozenset(f"application/vnd.dev.sigstore.bundle+json;version=0.{minor}" for minor in (1, 2))
_MEDIA_TYPES = {MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"} | _OLD_MEDIA_TYPES
_ALGORITHMS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_ALGORITHM_NAMES = {hash_: name for name, hash_ in _ALGORITHMS.items()}
_MAX_CERTIFICATES = 16
_MAX_CERTIFICATE = 1 << 16
_MAX_TIMESTAMP = 1 << 20
_MAX_SIGNATURE = 1 << 16
_MAX_HINT = 1024

_MEMBERS = frozenset({"mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"})
_MATERIAL_MEMBERS = frozenset(
    {"publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData"},
)


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over an artifact's digest. Nothing but `signature` is proven by it: `digest` is only a claim."""

    hash: str
    digest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one bundle holds. `certificates` are DER, leaf first, and are there exactly where `hint` is None.

    `timestamps` are DER TimeStampResp over the raw signature (RFC 3161 §2.4.2); `log_entries` are compact JSON.
    """

    content: MessageSignature | Envelope
    hint: str | None = None
    certificates: tuple[bytes, ...] = ()
    timestamps: tuple[bytes, ...] = ()
    log_entries: tuple[bytes, ...] = ()

    @property
    def signature(self) -> bytes:
        """The raw signature."""
        return self.content.signature


def carried_schemes(key: PublicKey) -> tuple[Scheme, ...]:
    """Return the schemes that a bundle by such a key may be signed with: all but PSS, which it could not tell of."""
    return tuple(scheme for scheme in schemes_of_key(key) if scheme.family != "rsa-pss")


def encode_bundle(bundle: Bundle) -> bytes:
    """Return the bundle in version 0.3, which carries a hint or the leaf certificate alone, and a newline.

    Raises MalformedError for a log entry that is none.
    """
    material: dict[str, Any] = (
        {"publicKey": {"hint": bundle.hint}}
        if bundle.hint is not None
        else {"certificate": {"rawBytes": encode_base64(bundle.certificates[0])}}
    )
    if bundle.log_entries:
        material["tlogEntries"] = [parse_log_entry(entry) for entry in bundle.log_entries]
    if bundle.timestamps:
        stamps = [{"signedTimestamp": encode_base64(timestamp)} for timestamp in bundle.timestamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    return encode_json({"mediaType": MEDIA_TYPE, "verificationMaterial": material, **_encode_content(bundle.content)})


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle. Raises MalformedError, also for members that are not in the specification."""
    table = as_object(parse_json(data, subject="the bundle"), at="the bundle", allowed=_MEMBERS)
    media_type = field(table, "mediaType", str, at="the bundle")
    if media_type not in _MEDIA_TYPES:
        message = f"the bundle is of the unknown type {display(media_type)}"
        raise MalformedError(message)
    at = "verificationMaterial"
    material = as_object(table.get("verificationMaterial"), at=at, allowed=_MATERIAL_MEMBERS)
    hint, certificates = _parse_credential(material, at, old=media_type in _OLD_MEDIA_TYPES)
    return Bundle(
        content=_parse_content(table),
        hint=hint,
        certificates=certificates,
        timestamps=_parse_timestamps(material.get("timestampVerificationData", {}), f"{at}.timestampVerificationData"),
        log_entries=_parse_log_entries(material.get("tlogEntries", []), f"{at}.tlogEntries"),
    )


def _encode_content(content: MessageSignature | Envelope) -> dict[str, Any]:
    if isinstance(content, Envelope):
        return {"dsseEnvelope": encode_envelope(content)}
    digest = {"algorithm": _ALGORITHM_NAMES[content.hash], "digest": encode_base64(content.digest)}
    return {"messageSignature": {"messageDigest": digest, "signature": encode_base64(content.signature)}}


def _one_of(table: dict[str, Any], names: tuple[str, ...], at: str) -> str:
    present = [name for name in names if name in table]
    if len(present) != 1:
        message = f"{at} has {' and '.join(present) or 'none'}, expected one of {', '.join(names)}"
        raise MalformedError(message)
    return present[0]


def _parse_content(table: dict[str, Any]) -> MessageSignature | Envelope:
    if _one_of(table, ("messageSignature", "dsseEnvelope"), "the bundle") == "dsseEnvelope":
        return parse_envelope(table["dsseEnvelope"], at="dsseEnvelope")
    at = "messageSignature"
    signature = as_object(table[at], at=at, allowed=frozenset({"messageDigest", "signature"}))
    hash_, digest = _parse_digest(signature.get("messageDigest"), f"{at}.messageDigest")
    text = field(signature, "signature", str, at=at)
    return MessageSignature(hash_, digest, decode_base64(text, at=f"{at}.signature", longest=_MAX_SIGNATURE))


def _parse_digest(value: object, at: str) -> tuple[str, bytes]:
    table = as_object(value, at=at, allowed=frozenset({"algorithm", "digest"}))
    algorithm = field(table, "algorithm", str, at=at)
    if algorithm not in _ALGORITHMS:
        message = f"{at} is by {display(algorithm)}, expected one of {', '.join(_ALGORITHMS)}"
        raise MalformedError(message)
    hash_ = _ALGORITHMS[algorithm]
    digest = decode_base64(field(table, "digest", str, at=at), at=f"{at}.digest")
    if len(digest) != DIGEST_SIZES[hash_]:
        message = f"{at} has {len(digest)} bytes, expected {DIGEST_SIZES[hash_]}"
        raise MalformedError(message)
    return hash_, digest


def _parse_credential(material: dict[str, Any], at: str, *, old: bool) -> tuple[str | None, tuple[bytes, ...]]:
    names = ("publicKey", "x509CertificateChain") if old else ("publicKey", "certificate")
    kind = _one_of(material, ("publicKey", "certificate", "x509CertificateChain"), at)
    if kind not in names:
        message = f"{at} has {kind}, which bundles of this version do not hold; expected one of {', '.join(names)}"
        raise MalformedError(message)
    place = f"{at}.{kind}"
    if kind == "publicKey":
        return _parse_hint(material[kind], place), ()
    if kind == "certificate":
        return None, (_parse_raw_bytes(material[kind], place),)
    chain = as_object(material[kind], at=place, allowed=frozenset({"certificates"}))
    items = as_list(chain.get("certificates"), at=f"{place}.certificates", longest=_MAX_CERTIFICATES)
    if not items:
        message = f"{place} is empty"
        raise MalformedError(message)
    return None, tuple(_parse_raw_bytes(item, f"{place}.certificates") for item in items)


def _parse_hint(value: object, at: str) -> str:
    hint = optional_field(as_object(value, at=at, allowed=frozenset({"hint"})), "hint", str, "", at=at)
    if len(hint) > _MAX_HINT:
        message = f"{at}.hint has {len(hint)} characters, expected at most {_MAX_HINT}"
        raise MalformedError(message)
    return hint


def _parse_raw_bytes(value: object, at: str) -> bytes:
    table = as_object(value, at=at, allowed=frozenset({"rawBytes"}))
    return decode_base64(field(table, "rawBytes", str, at=at), at=f"{at}.rawBytes", longest=_MAX_CERTIFICATE)


def _parse_timestamps(value: object, at: str) -> tuple[bytes, ...]:
    table = as_object(value, at=at, allowed=frozenset({"rfc3161Timestamps"}))
    items = as_list(table.get("rfc3161Timestamps", []), at=f"{at}.rfc3161Timestamps", longest=MAX_EVIDENCE)
    return tuple(_parse_timestamp(item, f"{at}.rfc3161Timestamps") for item in items)


def _parse_timestamp(value: object, at: str) -> bytes:
    table = as_object(value, at=at, allowed=frozenset({"signedTimestamp"}))
    text = field(table, "signedTimestamp", str, at=at)
    return decode_base64(text, at=f"{at}.signedTimestamp", longest=_MAX_TIMESTAMP)


def _parse_log_entries(value: object, at: str) -> tuple[bytes, ...]:
    items = as_list(value, at=at, longest=MAX_EVIDENCE)
    return tuple(encode_log_entry(normalise_log_entry(item, at=f"{at}[{index}]")) for index, item in enumerate(items))
