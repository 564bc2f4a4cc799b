"""Timestamps for signatures that are in a file already."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.formats.cms.encoding import replace_unsigned
from hatch_sign.formats.rfc3161 import token_of
from hatch_sign_authenticode.pe import parse_pe, read_signatures, write_signatures
from hatch_sign_authenticode.signatures import parse_signatures, signature_value, unsigned_attributes
from hatch_sign_authenticode.structures import NESTED_SIGNATURE, TIMESTAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Choose = Callable[[bytes, Sequence[bytes]], Sequence[bytes]]


def stamp_signatures(source: BinaryIO, target: BinaryIO, choose: Choose) -> bool:
    """Copy a PE file with other timestamps, as :class:`~hatch_sign.contract.TakesTimestampsInside` has it."""
    pe = parse_pe(source)
    blobs = read_signatures(source, pe)
    if not blobs:
        return False
    parse_signatures(blobs)  # bounds how many there are, and how deep
    write_signatures(source, target, pe, [_stamped(blob, choose) for blob in blobs])
    return True


def _stamped(blob: bytes, choose: Choose) -> bytes:
    unsigned = unsigned_attributes(blob)
    present = unsigned.get(TIMESTAMP, ())
    chosen = {
        TIMESTAMP: tuple(dict.fromkeys(token_of(data) for data in choose(signature_value(blob), present))),
        NESTED_SIGNATURE: tuple(_stamped(each, choose) for each in unsigned.get(NESTED_SIGNATURE, ())),
    }
    changed = {number: values for number, values in {**unsigned, **chosen}.items() if values}
    return blob if changed == unsigned else replace_unsigned(blob, changed, subject="the signature")
