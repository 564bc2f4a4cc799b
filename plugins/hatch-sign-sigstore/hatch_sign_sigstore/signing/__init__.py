"""The bundle signer ``sigstore:``. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import BundleBackend


@hookimpl
def hatch_sign_register_bundle_signer() -> BundleBackend:
    """Register what opens references to identities."""
    from hatch_sign_sigstore.signing.backend import SigstoreBackend  # noqa: PLC0415 - listing the plugin needs none of it

    return SigstoreBackend()
