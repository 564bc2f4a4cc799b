"""The publisher ``github``: the assets of a release on GitHub. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import Publisher


@hookimpl
def hatch_sign_register_publisher() -> Publisher:
    """Register the publisher; what it needs is imported when something is published."""
    from hatch_sign.publishers.github.publisher import GitHubPublisher  # noqa: PLC0415 - only where something is published

    return GitHubPublisher()
