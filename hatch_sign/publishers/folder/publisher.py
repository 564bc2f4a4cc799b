"""Publishes to a folder, for servers of static files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import Preview
from hatch_sign.publishers.folder.destination import FolderDestination
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination


class FolderPublisher:
    """A :class:`~hatch_sign.contract.Publisher`, and a :class:`~hatch_sign.contract.Previews`.

    Its one setting, `path`, is the folder: absolute, as every path of a configuration is handed over.
    """

    name = "folder"
    settings: Mapping[str, type] = {"path": Path}

    def preview(self, settings: Mapping[str, Any], context: BackendContext) -> Preview:
        """Return where the files would go, and what could not. Raises ConfigurationError without a path."""
        del context
        destination = _destination(settings)
        return Preview(destination.title, destination.drops)

    @contextmanager
    def open(self, settings: Mapping[str, Any], context: BackendContext) -> Iterator[Destination]:
        """Lend the folder, which is made where files are published to it. Raises ConfigurationError without a path."""
        del context
        yield _destination(settings)


def _destination(settings: Mapping[str, Any]) -> FolderDestination:
    path = settings.get("path")
    if path is None:
        message = "the publisher folder lacks `path`, the folder to publish to"
        raise ConfigurationError(message, remedy='give it, as in path = "public"')
    return FolderDestination(Path(path).absolute())
