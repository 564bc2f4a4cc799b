"""What is asked of a web server, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the server at an http or https `address`: by POST where there is a `body`, else by GET.

    `accept` is the media type that is wanted; whether the answer is of that type is for the caller to see. An answer of
    more than `largest` bytes is a failure.
    """

    address: str
    accept: str
    largest: int
    body: bytes | None = None
    content_type: str = "application/octet-stream"


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
