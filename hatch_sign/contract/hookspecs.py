"""The hooks. Those that register return one named object; configuration picks by name, never by who answers first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from hatch_sign.contract.backends import Backend
    from hatch_sign.contract.bundle_signers import BundleBackend
    from hatch_sign.contract.formats import Format
    from hatch_sign.contract.observers import SignatureRecord
    from hatch_sign.contract.publishers import Publisher
    from hatch_sign.contract.trust import TrustKind
    from hatch_sign.contract.witnesses import WitnessProvider
    from hatch_sign.values.outcomes import Outcome

ENTRY_POINT_GROUP = "hatch_sign"
"""The entry-point group, and pluggy's project name. Entry points are named ``KIND.NAME``: ``backend.awskms``."""

hookspec = pluggy.HookspecMarker(ENTRY_POINT_GROUP)
hookimpl = pluggy.HookimplMarker(ENTRY_POINT_GROUP)


@hookspec
def hatch_sign_register_backend() -> Backend:  # type: ignore[empty-body] # a specification has none
    """Return a key backend; its entry points are ``backend.SCHEME``, one for each URI scheme."""


@hookspec
def hatch_sign_register_bundle_signer() -> BundleBackend:  # type: ignore[empty-body] # as above
    """Return what opens identities that sign whole bundles; its entry points are ``bundle-signer.SCHEME``."""


@hookspec
def hatch_sign_register_format() -> Format:  # type: ignore[empty-body] # as above
    """Return a signature format; its entry point is ``format.NAME``."""


@hookspec
def hatch_sign_register_witness() -> WitnessProvider:  # type: ignore[empty-body] # as above
    """Return what makes timestamp authorities or logs from addresses; its entry point is ``witness.NAME``."""


@hookspec
def hatch_sign_register_trust() -> TrustKind:  # type: ignore[empty-body] # as above
    """Return a kind of trust rule; its entry point is ``trust.NAME``."""


@hookspec
def hatch_sign_register_publisher() -> Publisher:  # type: ignore[empty-body] # as above
    """Return a place to publish to; its entry point is ``publisher.NAME``."""


@hookspec
def hatch_sign_before_sign(record: SignatureRecord) -> None:
    """Observe, and veto by raising, a signature that is about to be made; run where configuration lists it."""


@hookspec
def hatch_sign_after_sign(record: SignatureRecord) -> None:
    """Observe, and veto by raising, a signature that was made and checked but not yet written."""


@hookspec
def hatch_sign_after_verify(outcome: Outcome) -> None:
    """Observe, and veto by raising, an outcome of verification."""
