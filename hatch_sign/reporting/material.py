"""Certificates, timestamps and log entries in words. Nothing here judges but by the rules of trust."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from hatch_sign.reporting.model import CertificateEntry, WitnessEntry
from hatch_sign.values.certificates import describe_issuer, describe_subject
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.late_errors import late_errors
from hatch_sign.values.public_keys import encode_public_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.trust.policy import Policy
    from hatch_sign.values.grounds import Grounds
    from hatch_sign.values.public_keys import PublicKey

_MOST_WITNESSES = 32
"""Of each kind that are described for one signature; no format carries more."""

_UNREADABLE = "cannot be read"


def instant(moment: datetime) -> str:
    """Return an aware instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a key's SubjectPublicKeyInfo, hexadecimal."""
    return hashlib.sha256(encode_public_key(key)).hexdigest()


def describe_certificate(certificate: Certificate, role: str) -> CertificateEntry:
    """Return what a certificate says of itself; what it garbles is said to be unreadable. Never raises."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - where a certificate is only

    return CertificateEntry(
        role=role,
        subject=describe_subject(certificate) or _readable(lambda: _alternative_names(certificate)),
        issuer=describe_issuer(certificate),
        serial=_readable(lambda: f"{certificate.serial_number:x}"),
        begins=_readable(lambda: instant(certificate.not_valid_before_utc)),
        ends=_readable(lambda: instant(certificate.not_valid_after_utc)),
        sha256=hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
    )


def describe_chain(chain: Sequence[Certificate], *, complete: bool) -> tuple[CertificateEntry, ...]:
    """Return certificates, leaf first; the last of a `complete` chain is the root."""
    last = len(chain) - 1
    return tuple(
        describe_certificate(each, "signer" if not place else "root" if complete and place == last else "issuer")
        for place, each in enumerate(chain)
    )


def witnesses_of(grounds: Grounds, policy: Policy, *, logs_are_judged: bool) -> Iterator[WitnessEntry]:
    """Return what vouches for the time of one signature, and for each why it is not believed, if it is not."""
    for data in dict.fromkeys(grounds.timestamps[:_MOST_WITNESSES]):
        yield _describe_timestamp(data, grounds.signature, policy.timestamp_roots, policy.at)
    for entry in grounds.log_entries[:_MOST_WITNESSES]:
        yield _describe_log_entry(entry, judged=logs_are_judged)


@lru_cache(maxsize=2 * _MOST_WITNESSES)  # one signature may be over a thousand artifacts, and is described for each of them
def _describe_timestamp(data: bytes, signature: bytes, roots: tuple[Certificate, ...], at: datetime) -> WitnessEntry:
    from hatch_sign.formats.rfc3161 import parse_timestamp  # noqa: PLC0415 - asn1crypto, where timestamps are only
    from hatch_sign.trust.timestamps import check_timestamp  # noqa: PLC0415 - as above

    try:
        timestamp = parse_timestamp(data)
    except MalformedError as error:
        return WitnessEntry("timestamp", "unknown", (), doubt=error.message)
    if timestamp.vouches_for(signature):
        doubt = check_timestamp(timestamp, roots=roots, at=at)
    else:
        doubt = "the timestamp is over another signature"
    chain = tuple(
        describe_certificate(each, "issuer" if place else "timestamp authority")
        for place, each in enumerate(timestamp.certificates)
    )
    return WitnessEntry("timestamp", chain[0].subject, (instant(timestamp.time),), doubt, chain)


def _describe_log_entry(data: bytes, *, judged: bool) -> WitnessEntry:
    """Describe an entry of a transparency log, by the fields of Sigstore's TransparencyLogEntry."""
    doubt = "" if judged else "the rule does not ask the log"
    try:
        entry = json.loads(data)
        index, key = entry["logIndex"], entry["logId"]["keyId"]
        # Only the log's promise signs its time; Rekor 2 gives none, and leaves the time to timestamp authorities.
        seconds = int(entry.get("integratedTime") or 0) if entry.get("inclusionPromise") else 0
        logged = f", {instant(datetime.fromtimestamp(seconds, UTC))}" if seconds else ""
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        return WitnessEntry("transparency log", "unknown", (), doubt=_UNREADABLE)
    return WitnessEntry("transparency log", f"the log with key {key}", (f"entry {index}{logged}",), doubt)


def _alternative_names(certificate: Certificate) -> str:
    """Return whom a certificate without a subject is for: of a keyless signer, its identity (RFC 5280 §4.2.1.6)."""
    from cryptography.x509 import SubjectAlternativeName  # noqa: PLC0415 - as above

    from hatch_sign.trust.extensions import extension_of  # noqa: PLC0415 - as above

    names = extension_of(certificate, SubjectAlternativeName)
    return ", ".join(str(name.value) for name in names or ()) or "nobody"


def _readable(read: Callable[[], str]) -> str:
    try:
        return read()
    except late_errors():
        return _UNREADABLE
