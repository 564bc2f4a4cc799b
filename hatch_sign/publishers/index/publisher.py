"""Publishes to package indexes, by twine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hatch_sign.contract import Preview
from hatch_sign.publishers.index.connection import address_of, connect, load_twine
from hatch_sign.publishers.index.destination import IndexDestination, drops
from hatch_sign.publishers.index.pace import Pace
from hatch_sign.publishers.index.places import simple_indexes
from hatch_sign.publishers.index.sending import Sender
from hatch_sign.publishers.index.settings import SETTINGS, read_settings
from hatch_sign.publishers.index.simple_index import SimpleIndex
from hatch_sign.remote.hosts import is_loopback
from hatch_sign.remote.http import shown_address

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination
    from hatch_sign.publishers.index.connection import Connection
    from hatch_sign.publishers.index.settings import IndexSettings


class IndexPublisher:
    """A :class:`~hatch_sign.contract.Publisher`, and a :class:`~hatch_sign.contract.Previews`."""

    name = "index"
    settings = SETTINGS

    def __init__(self, pace: Pace | None = None) -> None:
        """Take another pace where tests bring it; the context of a run says when it is given up."""
        self._pace = pace or Pace()

    def preview(self, settings: Mapping[str, Any], context: BackendContext) -> Preview:
        """Return where uploads would go, as ``.pypirc`` says. Raises ConfigurationError, PluginError without twine."""
        chosen = read_settings(settings, context.environ)
        upload_url = address_of(load_twine(chosen, interactive=False))
        return Preview(shown_address(upload_url), lambda file: drops(file, upload_url, chosen))

    @contextmanager
    def open(self, settings: Mapping[str, Any], context: BackendContext) -> Iterator[Destination]:
        """Lend the index; credentials are looked for when this is entered, and nothing of the release is sent.

        Raises ConfigurationError for settings or a ``.pypirc`` that lead nowhere, PluginError without twine, PublishError
        without a credential.
        """
        chosen = read_settings(settings, context.environ)
        loaded = load_twine(chosen, interactive=_has_terminal())
        pace = replace(self._pace, stopped=lambda: context.stopped)
        connection = connect(loaded, pace)
        if connection.repository.session.auth and _is_overheard(address_of(loaded)):
            context.warn(f"{shown_address(address_of(loaded))}: the login goes there over a plain channel: use https")
        try:
            yield _destination(address_of(loaded), chosen, connection, pace)
        finally:
            connection.close()


def _destination(upload_url: str, chosen: IndexSettings, connection: Connection, pace: Pace) -> IndexDestination:
    places = [chosen.index_url.rstrip("/") + "/"] if chosen.index_url else simple_indexes(upload_url)
    index = SimpleIndex(places, connection, upload_url, pace)
    sender = Sender(connection, index, pace, title=shown_address(upload_url), settings=chosen)
    return IndexDestination(upload_url, chosen, index, sender, pace)


def _is_overheard(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
