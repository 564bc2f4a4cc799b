"""The plugin of Hatch: the build hook ``sign``, which signs what a build makes. This module only adapts.

Hatch imports it whenever it looks for a plugin that is not its own, so nothing heavy may be imported from here on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from hatch_sign.hatch_hooks.hook import SignBuildHook


@hookimpl
def hatch_register_build_hook() -> type[SignBuildHook]:
    """Return the build hook."""
    from hatch_sign.hatch_hooks.hook import SignBuildHook  # noqa: PLC0415 - only builds with hooks of others or ours need it

    return SignBuildHook
