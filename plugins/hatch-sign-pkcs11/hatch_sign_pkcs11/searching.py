"""Searching the objects of a token, without what python-pkcs11 leaves behind when a search fails.

After a failed C_FindObjectsInit its search object is finalised, calls C_FindObjectsFinal for a search that was never
begun, and raises in its finaliser, as it does after a search in which the token was lost: the interpreter prints a traceback
that nobody can catch. That one complaint is dropped.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pkcs11 import PKCS11Error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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

        def tell(unraisable: sys.UnraisableHookArgs) -> None:
            if not isinstance(unraisable.exc_value, PKCS11Error):
                told(unraisable)

        sys.unraisablehook = tell
        try:
            yield
        finally:
            sys.unraisablehook = told
