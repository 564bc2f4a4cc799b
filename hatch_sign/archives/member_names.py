"""The names of archive members: only those that stay inside the folder that the archive is unpacked to."""

from __future__ import annotations

import posixpath
import re

from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

LONGEST_NAME = 4096
"""Characters in the name of one member."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\\]|^/|^[A-Za-z]:|(^|/)\.\.(/|$)")
_OTHERWISE_ON_WINDOWS = re.compile(r":|[. ](/|$)")


def require_inside(name: str) -> str:
    """Return `name`. Raises MalformedError for one that is absolute on any system, climbs, or has control characters."""
    if not 0 < len(name) <= LONGEST_NAME or _FORBIDDEN.search(name):
        message = f"the archive has a member whose name is not inside it: {display(name)}"
        raise MalformedError(message)
    return name


def require_same_everywhere(name: str) -> str:
    """Return `name`. Raises MalformedError for one by which Windows means another, as by ``a.pyd.`` and ``a.pyd:x``."""
    if _OTHERWISE_ON_WINDOWS.search(name):
        message = f"the archive has a member whose name means another file on Windows: {display(name)}"
        raise MalformedError(message)
    return name


def require_link_inside(name: str, target: str, *, symbolic: bool) -> None:
    """Raise MalformedError for a link that leads out of the archive; symbolic ones start at their own folder."""
    folder = posixpath.dirname(name) if symbolic else ""
    path = posixpath.normpath(posixpath.join(folder, target))
    if not target or path == ".." or path.startswith(("../", "/")) or "\\" in target or "\0" in target:
        message = f"the archive has a link that leads out of it: {display(name)} to {display(target)}"
        raise MalformedError(message)
