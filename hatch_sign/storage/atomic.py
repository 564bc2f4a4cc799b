"""Writing files so that, after a kill at any instant, each is either its old or its new complete self."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from hatch_sign.values.display import display
from hatch_sign.values.errors import SigningError

_TEMPORARY = re.compile(r"\..{0,200}\.([0-9]{1,10})-[0-9a-f]{8}\.hatch-sign-tmp", re.DOTALL)


class StagedFile:
    """A new file, complete and synced under a temporary name in the folder of its target, not yet in its place."""

    def __init__(self, target: Path, temporary: Path) -> None:
        self.target = target
        self.temporary = temporary

    def read(self) -> bytes:
        """Return the bytes as they are on disk, to be verified before they are published."""
        return self.temporary.read_bytes()

    def commit(self) -> None:
        """Put the file in its place, over an older one. Raises SigningError, the old file untouched."""
        try:
            os.replace(self.temporary, self.target)  # noqa: PTH105 - the one call that is atomic on every system
        except OSError as error:
            raise _cannot_write(self.target, error) from None

    def discard(self) -> None:
        """Remove the temporary file; nothing happens after a commit."""
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def stage_bytes(target: Path, data: bytes) -> StagedFile:
    """Write `data` for `target` and sync it. Raises SigningError, leaving nothing, for a full disk or a short write."""
    return stage_stream(target, lambda stream: _write_all(stream, data))


def stage_stream(target: Path, write: Callable[[BinaryIO], object]) -> StagedFile:
    """Let `write` fill a temporary file for `target`, and sync it. Raises as :func:`stage_bytes`."""
    staged = StagedFile(target, _temporary_for(target))
    try:
        with open(staged.temporary, "xb+") as stream:  # noqa: PTH123 - the mode has no method on Path
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        staged.discard()
        raise _cannot_write(target, error) from None
    except BaseException:
        staged.discard()
        raise
    return staged


def write_atomically(target: Path, data: bytes) -> None:
    """Replace `target` by `data`, whole or not at all. Raises SigningError."""
    stage_bytes(target, data).commit()
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` durable where the system can."""
    if sys.platform == "win32":  # folders cannot be opened there, and renames are journalled
        return
    with contextlib.suppress(OSError):  # some network file systems refuse it; the rename is done all the same
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_stale_temporaries(folders: Iterable[Path]) -> None:
    """Remove the temporary files of runs that were killed; those of a running process stay."""
    for folder in set(folders):
        with contextlib.suppress(OSError):
            for path in list(folder.iterdir()):
                matched = _TEMPORARY.fullmatch(path.name)
                if matched is not None and not _is_running(int(matched[1])):
                    path.unlink(missing_ok=True)


def _temporary_for(target: Path) -> Path:
    # The start of the name suffices to recognise it, and keeps long names within what a file system takes.
    return target.with_name(f".{target.name[:40]}.{os.getpid()}-{secrets.token_hex(4)}.hatch-sign-tmp")


def _write_all(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)  # a buffered stream writes everything or raises


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return True
    if sys.platform == "win32":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # no process has such a number
        return False
    except OSError:  # it runs, and belongs to somebody else
        return True
    return True


def _is_running_on_windows(pid: int) -> bool:
    import ctypes  # noqa: PLC0415 - needed on one system only

    query_limited_information, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore] # it exists on Windows only
    handle = kernel.OpenProcess(query_limited_information, False, pid)  # noqa: FBT003 - a C function's flag
    if not handle:
        return False
    try:
        code = ctypes.c_ulong()
        return bool(kernel.GetExitCodeProcess(handle, ctypes.byref(code))) and code.value == still_active
    finally:
        kernel.CloseHandle(handle)


def _cannot_write(target: Path, error: OSError) -> SigningError:
    message = f"{display(target)} cannot be written: {error.strerror or type(error).__name__}"
    return SigningError(message, remedy="free space, or make the folder writable, then run again")
