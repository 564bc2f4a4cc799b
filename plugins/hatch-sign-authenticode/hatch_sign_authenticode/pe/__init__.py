"""PE files as Authenticode sees them: what of them is signed, and where signatures lie. Streams in, streams out.

Everything here reads bytes that an attacker may have written, in memory that does not grow with the file.
"""

from __future__ import annotations

from hatch_sign_authenticode.pe.certificate_table import read_signatures
from hatch_sign_authenticode.pe.checksum import compute_checksum
from hatch_sign_authenticode.pe.digest import digest, digests
from hatch_sign_authenticode.pe.layout import DOS_MARK, HEAD_SIZE, PEFile, Section, is_pe
from hatch_sign_authenticode.pe.page_hashes import page_hashes
from hatch_sign_authenticode.pe.parsing import parse_pe
from hatch_sign_authenticode.pe.writing import write_signatures

__all__ = [
    "DOS_MARK",
    "HEAD_SIZE",
    "PEFile",
    "Section",
    "compute_checksum",
    "digest",
    "digests",
    "is_pe",
    "page_hashes",
    "parse_pe",
    "read_signatures",
    "write_signatures",
]
