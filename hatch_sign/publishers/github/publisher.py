"""Publishes to the assets of a release on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination


class GitHubPublisher:
    """A :class:`~hatch_sign.contract.Publisher`."""

    name = "github"
    settings: Mapping[str, type] = {}

    def open(self, settings: Mapping[str, Any], context: BackendContext) -> AbstractContextManager[Destination]:
        """Return what makes the destination ready."""
        raise NotImplementedError
