"""What to do about signatures that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import LARGEST_SIGNATURE
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from hatch_sign.signing.detached import Bench


class Overwrite(Enum):
    """Which existing files a run may replace. One that verifies under the signer's key is kept, but for ALWAYS."""

    REFUSE = "refuse"
    """None: that there is another is an error, before anything is signed."""
    OTHER = "other"
    """Those that do not verify: a build has replaced the artifact, so its old signature is stale."""
    ALWAYS = "always"


def read_existing(path: Path) -> bytes | None:
    """Return the bytes at `path`; None where there is no such file. Raises UsageError for what is no readable file."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            message = f"{display(path)} is in the way and is no regular file"
            raise UsageError(message, remedy="move it away")
        with path.open("rb") as stream:
            return stream.read(LARGEST_SIGNATURE)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror}"
        raise UsageError(message, remedy="check its permissions") from None


def hashes_of_existing(bench: Bench, data: bytes | None) -> frozenset[str]:
    """Return the digests that checking an existing signature will need; none where it cannot be read as one."""
    if data is None:
        return frozenset()
    try:
        hashes: frozenset[str] = bench.verifier.digests(bench.verifier.parse(data))
    except MalformedError:
        return frozenset()
    return hashes


def refuse_conflicts(paths: Sequence[Path], *, stamped: bool = False, logged: bool = False) -> None:
    """Raise UsageError naming what stands in the way.

    `stamped` and `logged` say that it may be no more than a timestamp that lacks, or an entry in a log.
    """
    if paths:
        shown = ", ".join(display(path) for path in paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")  # noqa: PLR2004 - as many as fit one line
        witnessed = [what for what, asked in (("a timestamp", stamped), ("an entry in a log", logged)) if asked]
        with_them = f", with {' and '.join(witnessed)}" if witnessed else ""
        message = f"{shown}: there already, and not a signature of these bytes by this key{with_them}"
        later = "; `hatch-sign timestamp` adds a timestamp that lacks" if stamped else ""
        raise UsageError(message, remedy=f"remove it, or give --overwrite{later}")
