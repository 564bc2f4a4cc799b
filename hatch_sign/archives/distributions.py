"""What wheels and sdists say of themselves, inside and by their file names. Readers of hostile archives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_sign.archives.tar_archive import read_tar_gz
from hatch_sign.archives.zip_archive import open_zip
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

MAX_METADATA = 1 << 20
"""Bytes in one ``METADATA`` or ``PKG-INFO``."""

_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*)", re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r|\n")

Identity = tuple[str, str]
"""A project name, normalised (PEP 503), and a version, normalised (PEP 440)."""


def declared_name(filename: str) -> Identity | None:
    """Return what the file name of a wheel or an sdist declares; None for a name that is neither's."""
    from packaging.utils import (  # noqa: PLC0415 - only where a distribution's name is looked at
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        name, version = parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return str(name), str(version)


def wheel_metadata(stream: BinaryIO) -> Identity:
    """Return the name and version in the wheel's ``METADATA``; `stream` is seekable and stays open.

    Raises MalformedError for an archive that is not well-formed, or has no or several ``.dist-info`` folders.
    """
    with open_zip(stream) as archive:
        folders = {name.partition("/")[0] for name in archive.names if re.match(r"[^/]+\.dist-info/", name)}
        name = f"{min(folders, default='')}/METADATA"
        if len(folders) != 1 or name not in archive.names:
            message = f"a wheel has one .dist-info folder with METADATA, found {len(folders)} folders"
            raise MalformedError(message)
        return _parse_metadata(archive.read(name, longest=MAX_METADATA))


def sdist_metadata(stream: BinaryIO) -> Identity | None:
    """Return the name and version in the ``PKG-INFO`` of an sdist's one folder; None where there is no such file.

    `stream` is seekable, stays open, and holds a gzipped tar or a zip archive. Raises MalformedError.
    """
    stream.seek(0)
    is_zip = stream.read(2) == b"PK"
    stream.seek(0)
    found = _zipped_metadata(stream) if is_zip else _tarred_metadata(stream)
    if len(found) > 1:
        message = f"an sdist has one PKG-INFO in its folder, found {len(found)}"
        raise MalformedError(message)
    return _parse_metadata(found[0]) if found else None


def check_name(filename: str, stream: BinaryIO) -> bool:
    """Return whether the metadata inside a distribution vouches for its file name.

    False for what has no metadata to ask: no distribution by its name, or an archive without ``PKG-INFO``. Raises
    MalformedError where the two differ, and for an archive or a name that is not well-formed.
    """
    declared = declared_name(filename)
    if filename.endswith(".whl"):
        if declared is None:
            message = f"{display(filename)} is not a well-formed name of a wheel"
            raise MalformedError(message)
        found: Identity | None = wheel_metadata(stream)
    else:
        found = sdist_metadata(stream) if declared is not None else None
    if declared is None or found is None:
        return False
    if found != declared:
        message = f"its file name says {' '.join(map(display, declared))}, its metadata {' '.join(map(display, found))}"
        raise MalformedError(message)
    return True


def _zipped_metadata(stream: BinaryIO) -> Sequence[bytes]:
    with open_zip(stream) as archive:
        names = [name for name in archive.names if _is_top_metadata(name)]
        return [archive.read(name, longest=MAX_METADATA) for name in names[:2]]


def _tarred_metadata(stream: BinaryIO) -> Sequence[bytes]:
    """Return every ``PKG-INFO`` in a top folder; the whole archive is read, so that none can hide behind another."""
    return [member.content for member in read_tar_gz(stream, wanted=_is_top_metadata) if member.content is not None]


def _is_top_metadata(name: str) -> bool:
    return re.fullmatch(r"(\./)?[^/]+/PKG-INFO", name) is not None


def _parse_metadata(data: bytes) -> Identity:
    """Read the headers as mail parsers do (core metadata specification), but refuse a second name or version."""
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - as above
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - as above

    try:
        headers = _headers(data.decode("utf-8"))
        name, version = (_single(headers, key) for key in ("name", "version"))
        return str(canonicalize_name(name, validate=True)), str(Version(version))
    except (InvalidName, InvalidVersion, ValueError) as error:  # also for digits beyond what int() takes
        message = f"the metadata is not well-formed: {display(error)}"
        raise MalformedError(message) from None


def _headers(text: str) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    for line in _LINE_END.split(text):
        header = _HEADER.fullmatch(line)
        if header is not None:
            headers.append((header[1].lower(), header[2].strip()))
        elif not line.startswith((" ", "\t")) or not headers:
            break
    return headers


def _single(headers: list[tuple[str, str]], name: str) -> str:
    values = [value for key, value in headers if key == name]
    if len(values) != 1:
        message = f"the metadata has {len(values)} times {name.capitalize()}, expected it once"
        raise MalformedError(message)
    return values[0]
