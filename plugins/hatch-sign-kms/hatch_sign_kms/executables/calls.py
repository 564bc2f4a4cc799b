"""Calls of a ``sigstore-kms-NAME`` executable, protocol v1: written by whoever calls one, read by whoever is one.

A call is ``sigstore-kms-NAME v1 ARGUMENTS``. ARGUMENTS is JSON by the schema of ``pkg/signature/kms/cliplugin/common`` in
sigstore/sigstore: bytes are base64, a hash is the number that Go's package ``crypto`` gives it. What is to be signed stands
on standard input, unless its digest is among the arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from hatch_sign.formats.strict_json import as_object, decode_base64, encode_base64, encode_json_text, field, parse_json
from hatch_sign.formats.strict_json import optional_field as optional
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "v1"
"""The first argument of every call, and the ``protocolVersion`` inside the second."""

PREFIX = "sigstore-kms-"
"""What the name of every executable begins with."""

LARGEST_SIGNATURE = 16 << 10
"""Bytes; an RSA signature of 16,384 bits has 2,048."""

_HASH_NUMBERS = {None: 0, "sha256": 5, "sha384": 6, "sha512": 7}
_HASH_NAMES = {number: name for name, number in _HASH_NUMBERS.items()}
_HASH_OF_SIZE = {size: name for name, size in DIGEST_SIZES.items()}
_RPC_OPTIONS = {"rpcOptions": {"keyVersion": "", "remoteVerification": False}}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method for the key that the executable knows as `key`.

    `hash_name`, as :mod:`hashlib` spells it, is the hash of `digest`, or where that is empty the one by which the executable
    hashes what it is sent; None leaves the message as it is. `signature` is what ``verifySignature`` is about, `algorithm`
    what ``createKey`` is to make.
    """

    method: str
    key: str
    hash_name: str | None = "sha256"
    digest: bytes = b""
    signature: bytes = b""
    algorithm: str = ""


def encode_call(call: Call) -> str:
    """Return the second argument of a call: ASCII."""
    initial = {"protocolVersion": VERSION, "keyResourceID": call.key, "hashFunc": _HASH_NUMBERS[call.hash_name]}
    arguments = {"initOptions": {**initial, **_RPC_OPTIONS}, "methodName": call.method, call.method: _encode_options(call)}
    return encode_json_text(arguments).decode("ascii")


def _encode_options(call: Call) -> dict[str, object]:
    digest = {"digest": encode_base64(call.digest)} if call.digest else {}
    message = {**_RPC_OPTIONS, "messageOptions": {**digest, "hashFunc": _HASH_NUMBERS[call.hash_name]}}
    tables: dict[str, dict[str, object]] = {
        "createKey": {"algorithm": call.algorithm},
        "publicKey": {"publicKeyOptions": _RPC_OPTIONS},
        "signMessage": {"signOptions": message},
        "verifySignature": {"signature": encode_base64(call.signature), "verifyOptions": message},
    }
    return tables.get(call.method, {})


def parse_call(text: str) -> Call:
    """Return the call that the second argument holds; members that it does not know are ignored, as Go's reader does.

    Raises MalformedError for another version of the protocol, an unknown hash, and what is not of the schema.
    """
    arguments = as_object(parse_json(text.encode("utf-8", "surrogateescape"), subject="the call"), at="the call")
    initial = as_object(field(arguments, "initOptions", dict, at="the call"), at="initOptions")
    _require_version(field(initial, "protocolVersion", str, at="initOptions"))
    method = field(arguments, "methodName", str, at="the call")
    own = as_object(optional(arguments, method, dict, {}, at="the call"), at=display(method))
    message = _message_options(own)
    digest = _bytes(message, "digest", longest=max(_HASH_OF_SIZE))
    return Call(
        method=method,
        key=field(initial, "keyResourceID", str, at="initOptions"),
        hash_name=_parse_hash(message, initial, digest),
        digest=digest,
        signature=_bytes(own, "signature", longest=LARGEST_SIGNATURE),
        algorithm=optional(own, "algorithm", str, "", at=display(method)),
    )


def _require_version(version: str) -> None:
    if version != VERSION:
        message = f"the call is by version {display(version)} of the protocol, expected {VERSION}"
        raise MalformedError(message)


def _message_options(own: Mapping[str, Any]) -> dict[str, Any]:
    options = as_object(own.get("signOptions", own.get("verifyOptions", {})), at="the options")
    return as_object(optional(options, "messageOptions", dict, {}, at="the options"), at="messageOptions")


def _parse_hash(message: Mapping[str, Any], initial: Mapping[str, Any], digest: bytes) -> str | None:
    # cosign opens every key for SHA-256, whatever hash the digests are of that it sends later: their length tells.
    if digest and "hashFunc" not in message:
        return _HASH_OF_SIZE.get(len(digest)) or _refuse(f"a digest of {len(digest)} bytes is of no hash that it knows")
    table, at = (message, "messageOptions") if "hashFunc" in message else (initial, "initOptions")
    number = field(table, "hashFunc", int, at=at)
    if number not in _HASH_NAMES:
        _refuse(f"{at}.hashFunc is {number}, expected 5 (SHA-256), 6 (SHA-384) or 7 (SHA-512)")
    name = _HASH_NAMES[number]
    if digest and (name is None or len(digest) != DIGEST_SIZES[name]):
        _refuse(f"a digest of {len(digest)} bytes is not one of {name or 'no hash'}")
    return name


def _bytes(table: Mapping[str, Any], name: str, *, longest: int) -> bytes:
    text = optional(table, name, str, "", at="the call")
    return decode_base64(text, at=name, longest=longest) if text else b""


def _refuse(message: str) -> NoReturn:
    raise MalformedError(message)
