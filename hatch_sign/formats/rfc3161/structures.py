"""The structures of RFC 3161 that asn1crypto has otherwise: a reply may be without a token, which stays bytes."""

from __future__ import annotations

from hatch_sign.formats.asn1 import core, tsp

LARGEST = 1 << 17
"""Bytes in one token, or one reply: real ones take 2 to 8 KiB."""


class TimeStampResp(core.Sequence):  # type: ignore[misc] # asn1crypto has no types
    """``TimeStampResp`` (RFC 3161 §2.4.2)."""

    _fields = [  # noqa: RUF012 - asn1crypto's way to declare
        ("status", tsp.PKIStatusInfo),
        ("time_stamp_token", core.Any, {"optional": True}),
    ]
