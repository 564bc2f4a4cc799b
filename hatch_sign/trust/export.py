"""The one file that a consumer needs: trust rules with their keys and certificates inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hatch_sign.formats.strict_json import encode_json_text, parse_json

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_PUBLIC_JSON = ("application/vnd.dev.sigstore.trustedroot", "application/vnd.dev.sigstore.clienttrustconfig")
"""How the media types of JSON begin that holds certificates, public keys and addresses, and nothing else."""
_HEADING = "# Who may sign, for `hatch-sign verify`: put this file where you verify, and get it by a way that you trust.\n"


def encode_trust_file(
    rules: Sequence[Mapping[str, Any]],
    *,
    require: Sequence[str],
    signatures: Sequence[str] = (),
    timestamp_roots: str | None = None,
    contents: Mapping[str, Any] | None = None,
) -> str:
    """Return the text of a ``hatch-sign.toml`` that holds no more than what is trusted, and names no other file.

    `rules` are trust tables as configuration spells them, with PEM in place of file names; `contents` is which files inside
    wheels must be signed. Values are strings, booleans,
    integers, aware datetimes, and arrays of these; raises TypeError for others.
    """
    verify: dict[str, Any] = {"require": list(require)}
    if signatures:
        verify["signatures"] = list(signatures)
    if timestamp_roots is not None:
        verify["timestamp-roots"] = timestamp_roots
    inside = [_encode_table("[contents]", contents)] if contents is not None else []
    tables = [*inside, _encode_table("[verify]", verify), *(_encode_table("[[verify.trust]]", rule) for rule in rules)]
    return _HEADING + "".join("\n" + table for table in tables)


def public_trusted_root(data: bytes, subject: str) -> str:
    """Return the trusted root of Sigstore, or the client trust configuration, in `data` as one line; empty where it is none.

    Neither holds a secret. Raises MalformedError, naming `subject`, for JSON that is damaged.
    """
    if not data.lstrip().startswith(b"{"):
        return ""
    value = parse_json(data, subject=subject)
    is_public = isinstance(value, dict) and str(value.get("mediaType")).startswith(_PUBLIC_JSON)
    return encode_json_text(value).decode("ascii") if is_public else ""


def _encode_table(header: str, table: Mapping[str, Any]) -> str:
    return header + "\n" + "".join(f"{_encode_key(key)} = {_encode_value(value)}\n" for key, value in table.items())


def _encode_key(key: str) -> str:
    bare = key.isascii() and bool(key) and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _encode_basic_string(key)


def _encode_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _encode_string(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_encode_value, value)) + "]"
    message = f"a {type(value).__name__} cannot stand in a trust file"
    raise TypeError(message)


def _encode_string(value: str) -> str:
    """Return PEM as people know it, line by line; everything else, and PEM with something odd in it, escaped."""
    plain = all(character == "\n" or " " <= character <= "~" for character in value)
    if value.startswith("-----BEGIN ") and value.endswith("\n") and plain and "'" not in value:
        return f"'''\n{value}'''"
    return _encode_basic_string(value)


def _encode_basic_string(value: str) -> str:
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"
