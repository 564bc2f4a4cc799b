"""What fetches revocation lists, for the commands that judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import RevocationSource


def open_revocations(configuration: Configuration, *, offline: bool = False) -> RevocationSource | None:
    """Return what asks a network, where a trust rule wants to know what was revoked and the user lets it; else None."""
    if offline or not configuration.verify.asks_for_revocations:
        return None
    from hatch_sign.revocation.fetcher import RevocationFetcher  # noqa: PLC0415 - for few configurations

    return RevocationFetcher()
