"""The logs of a Sigstore trusted root: their keys, and when those were in use.

Shape: TrustedRoot of sigstore's protobuf-specs, ``sigstore_trustroot.proto``; of a ClientTrustConfig, the root inside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.strict_json import as_list, as_object, decode_base64, field, optional_field, parse_json
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.late_errors import late_errors
from hatch_sign.values.public_keys import as_public_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.values.public_keys import PublicKey

_MAX_LOGS = 64


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """One log: `id` is the SHA-256 of its key (SubjectPublicKeyInfo), by which entries of Rekor v1 name it."""

    id: bytes
    key: PublicKey
    start: datetime | None
    end: datetime | None

    def was_in_use(self, at: datetime) -> bool:
        """Return whether the key was in use at an instant; both ends are inclusive."""
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


def parse_trusted_logs(data: bytes) -> tuple[TrustedLog, ...]:
    """Return the logs in a trusted root whose entries name them by their keys.

    Raises MalformedError, also for a root without any.
    """
    subject = "the trusted root"
    table = as_object(parse_json(data, subject=subject), at=subject)
    root = as_object(table.get("trustedRoot", table), at=subject)
    items = as_list(root.get("tlogs", []), at=f"{subject}: tlogs", longest=_MAX_LOGS)
    logs = tuple(log for index, item in enumerate(items) for log in _parse_log(item, f"{subject}: tlogs[{index}]"))
    if not logs:
        message = f"{subject} has no log whose entries could be checked"
        raise MalformedError(message, remedy="give the `trusted_root.json` of the instance that the log belongs to")
    return logs


def _parse_log(value: object, at: str) -> Iterator[TrustedLog]:
    """Yield the log; nothing for one of another kind, such as Rekor v2, or with a key that is not of the table."""
    table = as_object(value, at=at)
    public = as_object(table.get("publicKey"), at=f"{at}.publicKey")
    encoded = decode_base64(field(public, "rawBytes", str, at=f"{at}.publicKey"), at=f"{at}.publicKey.rawBytes")
    named = decode_base64(field(as_object(table.get("logId"), at=f"{at}.logId"), "keyId", str, at=at), at=f"{at}.logId")
    validity = as_object(public.get("validFor", {}), at=f"{at}.publicKey.validFor")
    start, end = (_instant(validity, name, f"{at}.publicKey.validFor") for name in ("start", "end"))
    if named != hashlib.sha256(encoded).digest():
        return
    try:
        yield TrustedLog(named, _parse_key(encoded, f"{at}.publicKey"), start, end)
    except UnsupportedError:
        return


def _parse_key(encoded: bytes, subject: str) -> PublicKey:
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415 - 20 ms, in runs with a log

    try:
        return as_public_key(load_der_public_key(encoded), subject=subject)
    except late_errors():
        message = f"{subject} is no public key"
        raise MalformedError(message) from None


def _instant(table: dict[str, Any], name: str, at: str) -> datetime | None:
    text = optional_field(table, name, str, "", at=at)
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        instant = None
    if text and (instant is None or instant.tzinfo is None):
        message = f"{at}.{name} is no time with an offset"
        raise MalformedError(message)
    return instant
