"""The trust rules of kind ``identity``. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import TrustKind


@hookimpl
def hatch_sign_register_trust() -> TrustKind:
    """Register the kind of rule that names an identity and who vouches for it."""
    from hatch_sign_sigstore.identity.kind import IdentityKind  # noqa: PLC0415 - listing the plugin needs none of it

    return IdentityKind()
