"""Archives with metadata, as the standard library writes them, and what is said of them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import BinaryIO

from hatch_sign.archives.distributions import check_name
from hatch_sign.values.errors import MalformedError

WHEEL, SDIST = "example_app-1.0-py3-none-any.whl", "example_app-1.0.tar.gz"
METADATA = b"Metadata-Version: 2.4\nName: Example.App\nVersion: 1.0\nSummary: x\n\nName: body\n"
INFO = "example_app-1.0.dist-info/METADATA"
PKG_INFO = "example_app-1.0/PKG-INFO"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream


def tarred(*members: tuple[str, bytes], style: int = tarfile.PAX_FORMAT, **header: str) -> io.BytesIO:
    """Return a gzipped archive of files; `header` holds extended headers of the first one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=style) as archive:
        for number, (name, data) in enumerate(members):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.pax_headers = {} if number else header
            archive.addfile(member, io.BytesIO(data))
    return stream


def problem_of(filename: str, stream: BinaryIO) -> str | None:
    """Return why the metadata does not vouch for the name; None where it does."""
    try:
        return None if check_name(filename, stream) else "nothing inside speaks of its name"
    except MalformedError as error:
        return error.message


GOOD = zipped((INFO, METADATA))
