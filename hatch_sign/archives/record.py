"""RECORD, the list of a wheel's files and their digests: read strictly, and written back with as few changes as can be.

Binary distribution format, "The .dist-info directory"; PEP 376 §RECORD; PEP 427. Signatures of RECORD inside the wheel
(``RECORD.jws``, ``RECORD.p7s``) are deprecated (PEP 815), and are not in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

MAX_RECORD = 32 << 20
"""Bytes of one ``RECORD``."""

HASHES = {"sha256": 32, "sha384": 48, "sha512": 64}
"""Hashes that may stand in it, "sha256 or better", and the sizes of their digests in bytes."""

UNLISTED = (".jws", ".p7s")
"""What the names of its signatures, which it does not list, add to its own."""

_FIELD = r'("[^"\r\n]*+(?:""[^"\r\n]*+)*+"|[^",\r\n]*+)'
"""Repeated without a way back: for each, the module keeps a hundred times what it was given, and nothing needs it."""

_ROW = re.compile(rf"{_FIELD},{_FIELD},{_FIELD}(\r\n|\n|\Z)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Content:
    """What a row says of a file: a hash, its digest, and the size in bytes, None where the row leaves it out."""

    hash: str
    digest: bytes
    size: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the path, what it says of the file (None for the row of ``RECORD`` itself), and its own text."""

    path: str
    content: Content | None
    fields: tuple[str, str, str]
    line_end: str


@dataclass(frozen=True, slots=True)
class Record:
    """A whole ``RECORD``; `name` is its own path in the wheel."""

    name: str
    rows: tuple[Row, ...]

    def contents(self) -> Mapping[str, Content]:
        """Return what it says of each file, by path."""
        return {row.path: row.content for row in self.rows if row.content is not None}

    def with_contents(self, changed: Mapping[str, Content]) -> Record:
        """Return it with other digests and sizes for some files; order, quotes and line ends stay."""
        rows = (_changed(row, changed[row.path]) if row.path in changed else row for row in self.rows)
        return replace(self, rows=tuple(rows))

    def encode(self) -> bytes:
        """Return its bytes; unchanged rows are as they were read."""
        return "".join(",".join(row.fields) + row.line_end for row in self.rows).encode()


def parse_record(data: bytes, *, name: str, files: Iterable[str]) -> Record:
    """Read the ``RECORD`` at `name` in a wheel that holds `files`.

    Raises MalformedError for what is no such list, a path twice, a file that it leaves out or does not give a digest of, a
    path that is no file of the wheel, and a hash weaker than SHA-256.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
        raise _malformed(problem) from None
    present = set(files)
    rows = {row.path: row for row in _each_once(_rows(text, name), present)}
    unlisted = {name, *(name + suffix for suffix in UNLISTED)}
    if missing := sorted(present - rows.keys() - unlisted):
        problem = f"it leaves out {display(missing[0])}"
        raise _malformed(problem)
    return Record(name, tuple(rows.values()))


def _rows(text: str, name: str) -> Iterator[Row]:
    at = number = 0
    bare = _listed_without_hash(name)
    while at < len(text):
        number += 1
        matched = _ROW.match(text, at)
        if matched is None:
            problem = f"line {number} is not a path, a hash and a size"
            raise _malformed(problem)
        path, digest, size = (_unquoted(field) for field in matched.groups()[:3])
        content = _content(digest, size, path, bare)
        yield Row(path, content, (matched[1], matched[2], matched[3]), matched[4])
        at = matched.end()


def _listed_without_hash(name: str) -> Container[str]:
    return {name, *(name + suffix for suffix in UNLISTED)}


def _content(digest: str, size: str, path: str, bare: Container[str]) -> Content | None:
    if path in bare:
        if digest or size:
            problem = f"it gives a digest of {display(path)}, which it cannot know"
            raise _malformed(problem)
        return None
    hash_, _, encoded = digest.partition("=")
    raw = _decode(encoded)
    if hash_ not in HASHES or len(raw) != HASHES[hash_]:
        problem = f"its hash of {display(path)} is none of {', '.join(HASHES)}"
        raise _malformed(problem)
    if size and not _SIZE.fullmatch(size):
        problem = f"its size of {display(path)} is no number"
        raise _malformed(problem)
    return Content(hash_, raw, int(size) if size else None)


def _changed(row: Row, content: Content) -> Row:
    path, digest, size = row.fields
    encoded = f"{content.hash}={base64.urlsafe_b64encode(content.digest).decode().rstrip('=')}"
    number = "" if row.content is None or row.content.size is None else str(content.size)
    return replace(row, content=content, fields=(path, _quoted_like(digest, encoded), _quoted_like(size, number)))


def _quoted_like(before: str, value: str) -> str:
    return f'"{value}"' if before.startswith('"') else value


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if field.startswith('"') else field


def _decode(encoded: str) -> bytes:
    """Decode base64url without padding; empty for anything else, and for a second spelling of the same bytes."""
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == encoded else b""


def _each_once(rows: Iterable[Row], present: Container[str]) -> Iterator[Row]:
    """Pass the rows on, and stop at the first that should not be there: a small archive may unpack to millions."""
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            problem = f"it lists {display(row.path)} twice"
            raise _malformed(problem)
        if row.path not in present:
            problem = f"it lists {display(row.path)}, which is not in the wheel"
            raise _malformed(problem)
        seen.add(row.path)
        yield row


def _malformed(what: str) -> MalformedError:
    message = f"the RECORD of the wheel is wrong: {what}"
    return MalformedError(message)
