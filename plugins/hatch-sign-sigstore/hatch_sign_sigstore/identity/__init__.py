"""The trust rules of kind ``identity``. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import TrustKind


@hookimpl
def hatch_sign_register_trust() -> TrustKind:
    """Register it."""
    raise NotImplementedError
