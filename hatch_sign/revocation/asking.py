"""Whether a network is asked for revocations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.contract import RevocationSource


def open_revocations(*, asked: bool, offline: bool = False) -> RevocationSource | None:
    """Return what asks a network, where a trust rule has `asked` for it and the user lets it; else None."""
    if offline or not asked:
        return None
    from hatch_sign.revocation.fetcher import RevocationFetcher  # noqa: PLC0415 - for few configurations

    return RevocationFetcher()
