"""The instant at which a signature is proven to have been there. Cheap, where no timestamp is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from hatch_sign.contract.guarding import missing_module
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Facts
    from hatch_sign.formats.rfc3161 import Timestamp

MOST_TIMESTAMPS = 32
"""Timestamps that are looked at over one signature; no format carries more."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the timestamps over one signature prove: that it was there at `time`, the earliest that holds.

    Where there are some and none holds, `time` is None, and `doubt` says why the first of them does not. `broken` says
    what is wrong with one that is damaged or over something else: it was not put there by whom the signature is by.
    """

    time: datetime | None = None
    doubt: str = ""
    broken: str = ""


def prove_time(facts: Facts, *, roots: Sequence[Certificate], at: datetime) -> Proof:
    """Return what the timestamps in `facts` prove at the instant `at`, which is aware.

    Whatever they are, it raises nothing but PluginError, and that where a package that reads timestamps is missing.
    Without `roots`, a timestamp is no time at all, and is not even read. One by an authority that they know nothing of
    proves nothing, and is no mistake.
    """
    if not facts.timestamps:
        return Proof()
    if not roots:
        return Proof(doubt="its timestamp proves nothing, as no `timestamp-roots` are configured")
    if len(facts.timestamps) > MOST_TIMESTAMPS:
        return Proof(broken=f"it has {len(facts.timestamps)} timestamps, expected at most {MOST_TIMESTAMPS}")
    return _prove(facts.signature, tuple(dict.fromkeys(facts.timestamps)), tuple(roots), at)


@lru_cache(maxsize=8)  # one signature may be over a thousand artifacts, and is judged for each of them
def _prove(signature: bytes, timestamps: tuple[bytes, ...], roots: tuple[Certificate, ...], at: datetime) -> Proof:
    try:
        from hatch_sign.trust.timestamps import check_timestamp  # noqa: PLC0415 - asn1crypto, where timestamps are only
    except ModuleNotFoundError as error:
        raise missing_module(error, needed_by="a timestamp") from None
    try:
        parsed = [_parse(data, signature) for data in timestamps]
    except MalformedError as error:
        return Proof(broken=error.message)
    doubts = []
    for timestamp in sorted(parsed, key=lambda timestamp: timestamp.time):
        doubt = check_timestamp(timestamp, roots=roots, at=at)
        if not doubt:
            return Proof(timestamp.time)
        doubts.append(doubt)
    return Proof(doubt=doubts[0])


def _parse(data: bytes, signature: bytes) -> Timestamp:
    """Return a timestamp, after its own signature and what it is over were checked."""
    from hatch_sign.formats.rfc3161 import parse_timestamp  # noqa: PLC0415 - as above

    timestamp = parse_timestamp(data)
    if not timestamp.vouches_for(signature):
        message = "the timestamp is over another signature"
        raise MalformedError(message)
    return timestamp
