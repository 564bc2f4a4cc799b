"""Answers of a ``sigstore-kms-NAME`` executable, protocol v1: one JSON object on standard output.

An error is an answer with ``errorMessage``; the exit status says nothing, unless a signal ended the executable.
"""

from __future__ import annotations

from typing import Any

from hatch_sign.formats.strict_json import as_list, as_object, decode_base64, encode_base64, encode_json, field, parse_json
from hatch_sign.formats.strict_json import optional_field as optional
from hatch_sign.values.errors import MalformedError

LARGEST = 1 << 20
"""Bytes of a whole answer."""

_LARGEST_VALUE = 64 << 10
_MOST_ALGORITHMS = 1000


class Refusal(Exception):  # noqa: N818 - it is an answer, and becomes an error of ours where it is known whose it is
    """The executable answered with an error; its text is as it came."""


def encode_error(text: str) -> bytes:
    """Return the answer that is an error."""
    return encode_json({"errorMessage": text})


def encode_public_key_answer(pem: bytes, *, method: str = "publicKey") -> bytes:
    """Return the answer to ``publicKey``, or to ``createKey``."""
    return encode_json({method: {"publicKeyPEM": encode_base64(pem)}})


def encode_signature(signature: bytes) -> bytes:
    """Return the answer to ``signMessage``."""
    return encode_json({"signMessage": {"signature": encode_base64(signature)}})


def encode_names(method: str, names: str | list[str]) -> bytes:
    """Return the answer to ``defaultAlgorithm`` or ``supportedAlgorithms``."""
    return encode_json({method: {method: names}})


def encode_done(method: str) -> bytes:
    """Return the answer of a method that answers nothing, such as ``verifySignature``."""
    return encode_json({method: {}})


def parse_public_key_answer(data: bytes) -> bytes:
    """Return the PEM in an answer to ``publicKey``. Raises Refusal, or MalformedError."""
    return _parse_pem(data, "publicKey")


def parse_created_key(data: bytes) -> bytes:
    """Return the PEM in an answer to ``createKey``. Raises Refusal, or MalformedError."""
    return _parse_pem(data, "createKey")


def is_public_key_answer(data: bytes) -> bool:
    """Return whether the answer to ``publicKey`` is a key, and not a refusal. Raises MalformedError."""
    try:
        parse_public_key_answer(data)
    except Refusal:
        return False
    return True


def parse_signature(data: bytes) -> bytes:
    """Return the signature in an answer to ``signMessage``. Raises Refusal, or MalformedError."""
    text = field(_parse(data, "signMessage"), "signature", str, at="signMessage")
    return decode_base64(text, at="signMessage.signature", longest=_LARGEST_VALUE)


def parse_algorithms(data: bytes) -> list[str]:
    """Return the names in an answer to ``supportedAlgorithms``. Raises Refusal, or MalformedError."""
    method = "supportedAlgorithms"
    names = as_list(_parse(data, method).get(method, []), at=method, longest=_MOST_ALGORITHMS)
    if not all(isinstance(name, str) for name in names):
        message = f"{method} holds something other than strings"
        raise MalformedError(message)
    return names


def _parse_pem(data: bytes, method: str) -> bytes:
    text = field(_parse(data, method), "publicKeyPEM", str, at=method)
    return decode_base64(text, at=f"{method}.publicKeyPEM", longest=_LARGEST_VALUE)


def _parse(data: bytes, method: str) -> dict[str, Any]:
    answer = as_object(parse_json(data, subject="the answer"), at="the answer")
    error = optional(answer, "errorMessage", str, "", at="the answer")
    if error:
        raise Refusal(error)
    return as_object(field(answer, method, dict, at="the answer"), at=method)
