"""The audit file: one JSON line for each signature, written before the signature is put in its place."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl
from hatch_sign.storage.folders import data_folder
from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError

if TYPE_CHECKING:
    from hatch_sign.contract import SignatureRecord


_LOCK = threading.Lock()
"""Between the threads of a run: a file that another is just writing looks as if it were cut short."""

_PATIENCE = 0.05
"""Seconds in which another process has written the rest of its line."""


@hookimpl
def hatch_sign_after_sign(record: SignatureRecord) -> None:
    """Append who, where, key, credential, digest, format and verdict. Raises SigningError: no line, no signature."""
    path = _audit_file(record)
    line = json.dumps(_fields(record), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _append(path, line)
    except OSError as error:
        message = f"the audit file {display(path)} cannot be written: {error.strerror or type(error).__name__}"
        remedy = "make it writable, set `audit-file`, or take `audit` out of `observers`"
        raise SigningError(message, remedy=remedy) from None


def _audit_file(record: SignatureRecord) -> Path:
    configured = record.settings.get("audit-file")
    return Path(configured) if configured else data_folder(record.environ) / "audit.jsonl"


def _fields(record: SignatureRecord) -> dict[str, object]:
    import platform  # noqa: PLC0415 - an observer is imported to verify, too, and then has nothing to write

    return {
        "time": record.time.isoformat(),
        "user": _user(),
        "host": platform.node(),
        "key": record.key,
        "credential": record.credential,
        "protection": record.protection,
        "artifact": record.artifact,
        **({"member": record.member} if record.member is not None else {}),
        "digest": record.digest,
        "format": record.format,
        "verdict": record.verdict,
    }


def _user() -> str:
    import getpass  # noqa: PLC0415 - as above

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that has no name
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _append(path: Path, line: bytes) -> None:
    """Append in one write, so that lines of several processes never mix; first end a line that a full disk cut short."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with _LOCK:
            if not _ends_whole(descriptor):
                time.sleep(_PATIENCE)
                line = line if _ends_whole(descriptor) else b"\n" + line
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _ends_whole(descriptor: int) -> bool:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
