"""The plugins of Hatch, both ``sign``: a build hook that signs, and a publisher that verifies first. This only adapts.

Hatch imports it whenever it looks for a plugin that is not its own, so nothing heavy may be imported from here on; and where
only Hatchling is installed, nothing of Hatch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from hatch_sign.hatch_hooks.hook import SignBuildHook
    from hatch_sign.hatch_hooks.publisher import SignPublisher


@hookimpl
def hatch_register_build_hook() -> type[SignBuildHook]:
    """Return the build hook."""
    from hatch_sign.hatch_hooks.hook import SignBuildHook  # noqa: PLC0415 - only builds with hooks of others or ours need it

    return SignBuildHook


@hookimpl
def hatch_register_publisher() -> type[SignPublisher]:
    """Return the publisher; called by Hatch only, never by Hatchling."""
    from hatch_sign.hatch_hooks.publisher import SignPublisher  # noqa: PLC0415 - imports Hatch, which builds may not have

    return SignPublisher
