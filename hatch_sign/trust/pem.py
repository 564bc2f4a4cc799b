"""PEM given in a setting: the text itself, or the name of the file that holds it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate

MARK = "-----BEGIN "
"""What tells PEM text from the name of a file."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\s([A-Za-z0-9+/=\s]*)-----END \1-----")


def read_pem(value: str, key: str, read: Callable[[str], bytes]) -> tuple[str, bytes]:
    """Return how to call it in messages, and the bytes.

    Raises ConfigurationError for an empty value, and MalformedError where a private key is among the bytes: the file
    of a trust rule is public, and may be handed on.
    """
    if not value.strip():
        message = f"`{key}` is empty, expected the name of a PEM file, or PEM"
        raise ConfigurationError(message)
    subject, data = (f"`{key}`", value.encode()) if MARK in value else (display(value), read(value))
    if b"PRIVATE KEY-----" in data:
        message = f"{subject}: holds a private key, expected public data only"
        raise MalformedError(message, remedy="name a file that holds the public key or the certificates alone")
    return subject, data


def require_one_block(data: bytes, subject: str) -> None:
    """Raise MalformedError unless `data` holds exactly one PEM block: a second one would be passed over in silence."""
    count = data.count(MARK.encode())
    if count > 1:
        message = f"{subject}: holds {count} PEM blocks, expected one public key"
        raise MalformedError(message, remedy="write a rule for each key")


def parse_certificates(data: bytes, subject: str) -> tuple[Certificate, ...]:
    """Return the certificates in PEM `data`, in its order. Raises MalformedError for none, or for one that is damaged."""
    from cryptography.x509 import InvalidVersion, load_pem_x509_certificates  # noqa: PLC0415 - 40 ms, for rules with certificates only

    try:
        return tuple(load_pem_x509_certificates(data))
    except (ValueError, InvalidVersion):
        message = f"{subject}: holds no PEM certificate, or a damaged one"
        raise MalformedError(message, remedy="give a file of CERTIFICATE blocks") from None


def decode_pem(data: bytes, label: str) -> list[bytes]:
    """Return the DER of each PEM block of that label; `data` itself where it is no PEM. Raises ValueError for no block."""
    if MARK.encode() not in data:
        return [data]
    found = [match[2] for match in _BLOCK.finditer(data) if match[1] == label.encode()]
    if not found:
        message = f"no {label}"
        raise ValueError(message)
    return [b64decode(b"".join(text.split()), validate=True) for text in found]


def encode_pem(der: bytes, label: str) -> str:
    """Return DER as one PEM block (RFC 7468 §3), ending in a newline."""
    text = b64encode(der).decode("ascii")
    lines = (text[start : start + 64] for start in range(0, len(text), 64))
    return "\n".join([f"{MARK}{label}-----", *lines, f"-----END {label}-----", ""])


def public_blocks(data: bytes) -> str:
    """Return the PEM blocks in `data` without the text around them, each ending in a newline."""
    blocks = [match[0].decode("ascii").replace("\r\n", "\n") for match in _BLOCK.finditer(data)]
    return "".join(block + "\n" for block in blocks if "PRIVATE KEY" not in block.partition("\n")[0])
