"""Copies a PE file with other signatures inside."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.values.errors import UnsupportedError
from hatch_sign_authenticode.pe.certificate_table import LONGEST, MOST_ENTRIES, encode_table
from hatch_sign_authenticode.pe.checksum import Checksum
from hatch_sign_authenticode.pe.layout import CHECKSUM_SIZE, DIRECTORY_SIZE, LARGEST
from hatch_sign_authenticode.pe.reading import read_changed
from hatch_sign_authenticode.pe.trailers import require_found_when_signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign_authenticode.pe.layout import PEFile


def write_signatures(source: BinaryIO, target: BinaryIO, pe: PEFile, signatures: Sequence[bytes]) -> None:
    """Copy the file in `source` to `target`, with `signatures` (DER of PKCS #7) in place of those that it holds.

    `target` is seekable, empty, and at its beginning; it is left at its end. Zeros fill the file up to a multiple of 8
    bytes, the table of signatures follows, its data directory holds a file offset, and the checksum is right. Without
    signatures, the table goes, and the zeros before it stay: nobody knows whether they were there before, and the digest
    is the same.

    Raises UnsupportedError, before a byte is written, where the file would grow past 4 GiB or its own launcher would not
    find what is appended to it; MalformedError where it is shorter than `pe` says.
    """
    table = encode_table(signatures)
    padding = pe.padding if table else 0
    end = pe.content_end + padding
    if len(table) > LONGEST or len(signatures) > MOST_ENTRIES or end + len(table) > LARGEST:
        message = f"{len(signatures)} signatures of {len(table)} bytes do not fit into a PE file of {pe.content_end}"
        raise UnsupportedError(message)
    if table:
        require_found_when_signed(source, pe, table)
    directory = struct.pack("<II", end, len(table)) if table else bytes(DIRECTORY_SIZE)
    changes = {pe.checksum_at: bytes(CHECKSUM_SIZE), pe.directory_at: directory}
    checksum = Checksum()
    for piece in read_changed(source, pe.content_end, changes):
        checksum.update(piece)
        target.write(piece)
    trailer = bytes(padding) + table
    checksum.update(trailer)
    target.write(trailer)
    target.seek(pe.checksum_at)
    target.write(struct.pack("<I", checksum.value()))
    target.seek(0, os.SEEK_END)
