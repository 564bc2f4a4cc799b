"""Questions to an index that change nothing: bounded, in time and in size, and never led to another host."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from hatch_sign.publishers.index.silence import silence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import Response, Session

    from hatch_sign.publishers.index.pace import Pace

_MOST_REDIRECTS = 3
_OK, _NOT_FOUND = 200, 404
_PIECE = 64 * 1024
_LONGEST_REPLY = 64 * 1024
"""Bytes of the answer to an upload: it says what was wrong, or nothing."""


class UnreadableError(Exception):
    """An answer did not come, or is none; nothing is known then."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was read, and from where; `found` is False where there is nothing (404)."""

    address: str
    content_type: str
    body: bytes
    found: bool = True


def followed(page: str, address: str) -> str:
    r"""Return the address that a page tells, as it is asked. Raises UnreadableError for one to which nobody is led.

    Decided is by what requests makes of it: in ``http://a\@b/``, it sees the host ``a``, and the standard library ``b``.
    """
    from requests import Request  # noqa: PLC0415 - an extra, loaded by now

    from hatch_sign.remote.http_transport import reason_not_to_follow  # noqa: PLC0415 - where a network is asked only

    try:
        asked = Request("GET", address).prepare().url or ""
        led_astray = reason_not_to_follow(page, asked)
    except ValueError:  # those of requests about addresses among them
        raise UnreadableError from None
    if led_astray:
        raise UnreadableError
    return asked


def read_page(session: Session, address: str, *, accept: str, largest: int, pace: Pace) -> Page:
    """Return what is at `address`. Raises UnreadableError for every other answer, and for none."""
    with _opened(session, address, accept) as response:
        if response.status_code == _NOT_FOUND:
            return Page(response.url, "", b"", found=False)
        if response.status_code != _OK:
            raise UnreadableError
        body = b"".join(_pieces(response, largest, pace))
        return Page(response.url, response.headers.get("Content-Type", ""), body)


def read_sha256(session: Session, address: str, *, size: int, pace: Pace) -> bytes | None:
    """Return the SHA-256 of what is at `address`, or of its beginning where it is longer than `size`, or None."""
    digest, count = hashlib.sha256(), 0
    try:
        with _opened(session, address, "*/*") as response:
            if response.status_code != _OK:
                return None
            for piece in _pieces(response, size + _PIECE, pace):
                digest.update(piece)
                count += len(piece)
                if count > size:
                    break
    except UnreadableError:
        return None
    return digest.digest()


def read_reply(response: Response, pace: Pace) -> bytes:
    """Return the beginning of an answer to an upload: all that came of it before it broke off, or grew too long."""
    reply = bytearray()
    try:
        for piece in _pieces(response, _LONGEST_REPLY, pace):
            reply += piece
    except UnreadableError:
        return bytes(reply)
    return bytes(reply)


def _opened(session: Session, address: str, accept: str) -> Response:
    from hatch_sign.remote.http_transport import origin  # noqa: PLC0415 - where a network is asked only

    try:
        for _ in range(_MOST_REDIRECTS + 1):
            with silence():
                response = session.get(address, headers={"Accept": accept}, allow_redirects=False)
            if not response.is_redirect:
                return response
            response.close()
            before, address = address, followed(address, urljoin(address, response.headers["Location"]))
            if origin(address) != origin(before):
                break  # an index that does not have a project may lead to another one that has it
    except Exception:  # noqa: BLE001 - the library raises what it likes, and each means that nothing is known
        raise UnreadableError from None
    raise UnreadableError


def _pieces(response: Response, largest: int, pace: Pace) -> Iterator[bytes]:
    """Yield the body. Raises UnreadableError where it is longer than `largest` bytes, ends early, or takes too long."""
    end, count = pace.end_of_answer(), 0
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnreadableError
    while piece := _piece(response):
        count += len(piece)
        if count > largest or pace.is_over(end):
            raise UnreadableError
        yield piece


def _piece(response: Response) -> bytes:
    """Return what has come, at least a byte; none at the end."""
    try:
        piece: bytes = response.raw.read1(_PIECE)
    except Exception:  # noqa: BLE001 - as above
        raise UnreadableError from None
    return piece
