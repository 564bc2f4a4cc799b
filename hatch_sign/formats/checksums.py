"""The format ``checksums``: ``SHA256SUMS``, the list that ``sha256sum -c`` reads. A plugin module.

The list itself is not signed: its own sidecars carry the trust.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_sign.contract import Finding, Format, hookimpl
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hatch_sign.values.artifacts import Release, Subject

FILENAME = "SHA256SUMS"
"""The name of the list."""
MAX_SIZE = 16 << 20
"""Bytes in one list: some hundred thousand artifacts."""

_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^\x00-\x1f\x7f\\]+)")
"""One line: binary or text mode, which say the same outside of DOS, and a name that needs no escape."""
_UNLISTABLE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class ChecksumsProducer:
    """A :class:`~hatch_sign.contract.ManifestProducer` of ``SHA256SUMS``."""

    def filename(self, release: Release | None) -> str:  # noqa: ARG002 - one name for every release
        """Return ``SHA256SUMS``."""
        return FILENAME

    def digests(self) -> frozenset[str]:
        """Return SHA-256 alone."""
        return frozenset({"sha256"})

    def list(self, subjects: Sequence[Subject]) -> bytes:
        """Return the list in UTF-8, sorted by name, with the two spaces that mean text mode.

        Raises UnsupportedError for names that are not Unicode, or have backslashes or control characters: coreutils
        escapes them, and others read the escape as part of the name.
        """
        digests = {_listable(subject.name): subject.digests["sha256"] for subject in subjects}
        return "".join(f"{digest.hex()}  {name}\n" for name, digest in sorted(digests.items())).encode()


class ChecksumsVerifier:
    """A :class:`~hatch_sign.contract.ManifestVerifier` of ``SHA256SUMS``; what it parses is digests by name."""

    def parse(self, data: bytes) -> Mapping[str, bytes]:
        """Read hostile bytes: complete lines, each name once. Raises MalformedError, and nothing else."""
        if len(data) > MAX_SIZE:
            message = f"{FILENAME} has {len(data)} bytes, expected at most {MAX_SIZE}"
            raise MalformedError(message)
        lines = _decode(data).split("\n")
        if len(lines) == 1 or lines.pop():
            message = f"{FILENAME} does not end with a complete line"
            raise MalformedError(message)
        digests: dict[str, bytes] = {}
        for number, line in enumerate(lines, start=1):
            name, digest = _parse_line(line, number)
            if name in digests:
                message = f"{FILENAME} line {number} lists {display(name)} again"
                raise MalformedError(message)
            digests[name] = digest
        return digests

    def digests(self, parsed: Mapping[str, bytes]) -> frozenset[str]:  # noqa: ARG002 - the port has it
        """Return SHA-256 alone."""
        return frozenset({"sha256"})

    def check(self, parsed: Mapping[str, bytes], subjects: Sequence[Subject]) -> Mapping[str, Finding]:
        """Return, for each name, an empty finding where the list agrees, or the problem."""
        return {subject.name: _check(parsed.get(subject.name), subject) for subject in subjects}


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format."""
    return Format("checksums", "manifest", FILENAME, verifier=ChecksumsVerifier, producer=ChecksumsProducer)


def _check(listed: bytes | None, subject: Subject) -> Finding:
    if listed is None:
        return Finding(problem=Verdict.UNSIGNED, detail=f"{FILENAME} does not list {display(subject.name)}")
    if listed != subject.digests.get("sha256"):
        return Finding(problem=Verdict.HASH_MISMATCH, detail=f"{FILENAME} lists sha256 {listed.hex()}")
    return Finding()


def _listable(name: str) -> str:
    if not name or _UNLISTABLE.search(name):
        message = f"{display(name)} cannot be listed in {FILENAME}"
        raise UnsupportedError(message, remedy="rename it to Unicode without backslashes and control characters")
    return name


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{FILENAME} is not UTF-8 at byte {error.start}"
        raise MalformedError(message) from None


def _parse_line(line: str, number: int) -> tuple[str, bytes]:
    found = _LINE.fullmatch(line)
    if found is None:
        message = f"{FILENAME} line {number} is not 64 lower-case hexadecimal digits, a space, a space or *, and a name"
        raise MalformedError(message)
    return found[2], bytes.fromhex(found[1])
