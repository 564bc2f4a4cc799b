"""What is asked of a web server, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Readable(Protocol):
    """What a body is read from while it is sent."""

    def read(self, most: int, /) -> bytes:
        """Return the next bytes, at most so many; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """A body of `size` bytes that is read while it is sent, in little memory; `open` begins it anew for each attempt.

    What reading raises as a HatchSignError leaves the client as it is; the connection is cut then, the body unfinished.
    """

    size: int
    open: Callable[[], AbstractContextManager[Readable]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the server at an http or https `address`: by `method`, else by POST where there is a `body`, or GET.

    `accept` is the media type that is wanted; whether the answer is of that type is for the caller to see. An answer of
    more than `largest` bytes is a failure. `headers` may hold a credential: they are never shown, and no other server than
    the one at `address` gets them, wherever it redirects to. With `digest`, the name of a hash, the body of an answer with
    status 200 is not kept: that hash of it stands in its place.
    """

    address: str
    accept: str
    largest: int
    body: bytes | StreamedBody | None = None
    content_type: str = "application/octet-stream"
    method: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    digest: str = ""

    @property
    def verb(self) -> str:
        """The method by which it is asked."""
        return self.method or ("GET" if self.body is None else "POST")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered, after redirects. The names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str] = field(hash=False)
    body: bytes

    @property
    def media_type(self) -> str:
        """The type of the body in lower case, without parameters; empty where the server does not say it."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
