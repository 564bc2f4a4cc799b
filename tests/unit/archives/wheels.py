"""Small wheels, good and bad, as a test lays them out."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hatch_sign.archives.opened import open_archive

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.archives.opened import OpenArchive
    from hatch_sign.archives.zip_layout import ZipMember

NAME = "example_app-1.0-py3-none-win_amd64.whl"
INFO = "example_app-1.0.dist-info"
RECORD = f"{INFO}/RECORD"
METADATA = b"Metadata-Version: 2.4\nName: example-app\nVersion: 1.0\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\nTag: py3-none-win_amd64\n"
TIME = (2024, 2, 29, 12, 30, 58)


class Piped(io.BytesIO):
    """What zipfile takes for a pipe: sizes and checksums follow each member."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, offset: int, whence: int = 0) -> int:
        del offset, whence
        raise OSError


def hashed(data: bytes, hash_: str = "sha256") -> str:
    """Return a digest as RECORD spells it."""
    digest = hashlib.new(hash_, data).digest()
    return f"{hash_}={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def record_of(members: Mapping[str, bytes]) -> bytes:
    """Return the RECORD of a wheel with these members."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows((name, hashed(data), len(data)) for name, data in members.items())
    rows.writerow((RECORD, "", ""))
    return text.getvalue().encode()


def make_wheel(
    members: Mapping[str, bytes], *, record: bytes | None = None, stored: Iterable[str] = (), extra: bytes = b""
) -> bytes:
    """Return a wheel with `members`, its metadata, and a RECORD that is right unless another one is given."""
    everything = {**members, f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}
    everything[RECORD] = record_of(everything) if record is None else record
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(everything.items()):
            info = zipfile.ZipInfo(name, TIME)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            info.external_attr = (0o100755 if number % 2 else 0o100644) << 16
            info.comment = b"remark" if number == 0 else b""
            info.extra = extra
            archive.writestr(info, data)
        archive.comment = b"of the whole"
    return stream.getvalue()


def contents_of(path: Path) -> dict[str, bytes]:
    """Return the members of an archive, as the standard library reads them."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def read_strictly(data: bytes, name: str) -> dict[str, bytes]:
    """Return the files of an archive of that name as the product reads them, to the last byte."""
    archive = open_archive(name, io.BytesIO(data))
    return {member.name: _read(archive, member) for member in archive.layout.files.values()}


def _read(archive: OpenArchive, member: ZipMember) -> bytes:
    content = bytearray(member.size)

    def keep(at: int, piece: bytes) -> None:
        content[at : at + len(piece)] = piece

    archive.check(member, keep)
    return bytes(content)
