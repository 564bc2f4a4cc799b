"""What the configuration asks of the plugins that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hatch_sign.registry.known import KNOWN_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.contract import Format, Publisher, TrustKind

SELECTORS_ELSEWHERE = {"identity": "identity", "identity-pattern": "identity"}
"""Keys that select a kind of trust rule which one of our plugins brings, and the name of that kind."""


class Plugins(Protocol):
    """The part of the registry that a configuration needs; each method raises PluginError for what is missing or broken."""

    def format(self, name: str) -> Format:
        """Return the format of this name."""
        ...

    def formats(self) -> Mapping[str, Format]:
        """Return every format that loads."""
        ...

    def trust_kinds(self) -> Mapping[str, TrustKind]:
        """Return every kind of trust rule that loads."""
        ...

    def publisher(self, name: str) -> Publisher:
        """Return the publisher of this name."""
        ...


def known_formats(plugins: Plugins) -> set[str]:
    """Return the names of the formats that are installed, or would be with one of our plugins."""
    return {*plugins.formats(), *(name.partition(".")[2] for name in KNOWN_PLUGINS if name.startswith("format."))}


def owner_of_selector(key: str) -> str | None:
    """Return the distribution of ours that would know the key of a trust rule."""
    kind = SELECTORS_ELSEWHERE.get(key)
    return KNOWN_PLUGINS[f"trust.{kind}"] if kind else None
