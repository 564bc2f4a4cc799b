"""What is behind an exception: SDKs wrap the one that tells something in layers of their own."""

from __future__ import annotations

_MOST_LINKS = 50


def causes_of(error: BaseException) -> list[BaseException]:
    """Return `error` and the exceptions behind it: in causes, contexts, arguments and attributes; 50 at most, or so."""
    seen: list[BaseException] = [error]
    for link in seen:  # grows while it is walked
        if len(seen) > _MOST_LINKS:
            break
        kwargs = getattr(link, "kwargs", None)
        inner = kwargs.values() if isinstance(kwargs, dict) else ()
        found = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args, *inner)
        seen += [each for each in found if isinstance(each, BaseException) and each not in seen]
    return seen
