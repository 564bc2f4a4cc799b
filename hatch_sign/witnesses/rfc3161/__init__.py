"""The witness ``rfc3161``: timestamp authorities. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import WitnessProvider, hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hatch_sign.contract import BackendContext, Witness


@hookimpl
def hatch_sign_register_witness() -> WitnessProvider:
    """Register what makes witnesses of the addresses in ``timestamp``."""
    return TimestampAuthorities()


class TimestampAuthorities:
    """A :class:`~hatch_sign.contract.WitnessProvider` of RFC 3161 authorities over HTTP."""

    name = "rfc3161"

    def connect(self, address: str, context: BackendContext) -> AbstractContextManager[Witness]:
        """Return what opens the authority at an http or https address; nobody is asked before the first signature."""
        from hatch_sign.witnesses.rfc3161.authority import open_authority  # noqa: PLC0415 - only where something is signed

        return open_authority(address, context)
