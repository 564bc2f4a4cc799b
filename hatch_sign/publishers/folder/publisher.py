"""Publishes to a folder, for servers of static files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination


class FolderPublisher:
    """A :class:`~hatch_sign.contract.Publisher`."""

    name = "folder"
    settings: Mapping[str, type] = {}

    def open(self, settings: Mapping[str, Any], context: BackendContext) -> AbstractContextManager[Destination]:
        """Return what makes the destination ready."""
        raise NotImplementedError
