"""The publisher ``index``: package indexes, by twine. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import Publisher


@hookimpl
def hatch_sign_register_publisher() -> Publisher:
    """Register the publisher; what it needs is imported when something is published."""
    from hatch_sign.publishers.index.publisher import IndexPublisher  # noqa: PLC0415 - only where something is published

    return IndexPublisher()
