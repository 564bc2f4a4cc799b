"""Searching the objects of a token, without what python-pkcs11 leaves behind when a search fails.

After a failed C_FindObjectsInit its search object is finalised, calls C_FindObjectsFinal for a search that was never
begun, and raises in its finaliser, as it does after a search in which the token was lost: the interpreter prints a traceback
that nobody can catch. That one complaint is dropped.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pkcs11 import PKCS11Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pkcs11 import Attribute, Session

_hook_guard = threading.Lock()


def search(session: Session, template: Mapping[Attribute, Any]) -> Sequence[Any]:
    """Return all objects that match `template`. Raises PKCS11Error.

    The search is run to its end: one that is left open makes the next signature in its session fail.
    """
    with _without_complaints():
        try:
            return list(session.get_objects(dict(template)))
        except PKCS11Error as error:
            failure = type(error)(*error.args)
            # The tracebacks hold the frames that hold the search: it is finalised here, and not when they are dropped.
            error.__traceback__ = error.__context__ = None
    raise failure


@contextmanager
def _without_complaints() -> Iterator[None]:
    """Drop what python-pkcs11's finalisers raise meanwhile; everything else is told as ever."""
    with _hook_guard:
        told = sys.unraisablehook
        sys.unraisablehook = _Filter(told)
        try:
            yield
        finally:
            sys.unraisablehook = told


class _Filter:
    """A hook that tells another one of everything but what python-pkcs11 raises."""

    def __init__(self, told: Callable[[sys.UnraisableHookArgs], object]) -> None:
        self.told = told

    def __call__(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, PKCS11Error):
            self.told(unraisable)


def _begin_anew_in_child() -> None:
    """Undo in a forked child what a thread that it does not have had begun."""
    global _hook_guard  # noqa: PLW0603 - the parent's may be held
    _hook_guard = threading.Lock()
    if isinstance(sys.unraisablehook, _Filter):
        sys.unraisablehook = sys.unraisablehook.told


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew_in_child)
