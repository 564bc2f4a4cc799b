"""The allow list: what may be in the repository although it looks like a secret, and why."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hatch_sign_pre_commit.found import KINDS, Found

DEFAULT_FILE = ".hatch-sign-secrets.toml"
_KEYS = ("path", "kinds", "reason")


class AllowListError(Exception):
    """The allow list is wrong; the text says where, what was expected, and what to do."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Kinds of secrets that files whose path matches a pattern may hold."""

    path: str
    kinds: tuple[str, ...]
    reason: str

    def covers(self, name: str, found: Found) -> bool:
        """Return whether it is about this secret in a file of this path, with ``/``."""
        return fnmatchcase(name, self.path) and found.kind in self.kinds


def load_allow_list(path: Path) -> tuple[Allowed, ...]:
    """Return what is allowed; nothing without the file. Raises AllowListError with the first mistake."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        message = f"{path}: it cannot be read: {error.strerror}; make it readable, and run this again"
        raise AllowListError(message) from None
    except (ValueError, RecursionError) as error:
        message = f"{path}: it cannot be read as TOML ({error}); correct it"
        raise AllowListError(message) from None
    entries = document.pop("allow", [])
    if document or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        message = f"{path}: expected tables [[allow]] and nothing else; write each as [[allow]]"
        raise AllowListError(message)
    return tuple(_entry(entry, f"{path}: allow[{index}]") for index, entry in enumerate(entries))


def _entry(table: dict[str, Any], at: str) -> Allowed:
    problem = next(_problems(table), None)
    if problem is not None:
        message = f"{at}: {problem}"
        raise AllowListError(message)
    return Allowed(table["path"], tuple(table.get("kinds", KINDS)), table["reason"])


def _problems(table: dict[str, Any]) -> Iterator[str]:
    for key in table:
        if key not in _KEYS:
            yield f"`{key}` is not a known key; expected {', '.join(_KEYS)}"
    for key in ("path", "reason"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            yield f"lacks `{key}`, a text" + ("; say why nobody can use what is there" if key == "reason" else "")
    kinds = table.get("kinds", ["pin"])
    if not isinstance(kinds, list) or not kinds or any(kind not in KINDS for kind in kinds):
        yield f"`kinds` is wrong; expected one or more of {', '.join(KINDS)}"
