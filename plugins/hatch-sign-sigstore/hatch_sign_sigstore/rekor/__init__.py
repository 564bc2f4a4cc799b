"""The witness ``rekor``: transparency logs that signatures by keys are entered in. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hatch_sign.contract import BackendContext, Witness, WitnessProvider


@hookimpl
def hatch_sign_register_witness() -> WitnessProvider:
    """Register what makes witnesses of the addresses in ``log``."""
    return RekorLogs()


class RekorLogs:
    """A :class:`~hatch_sign.contract.WitnessProvider` of logs with the interface of Rekor v1.

    What a log answers is believed only under a trusted root, so that it is a
    :class:`~hatch_sign.contract.ConnectsUnderRoot`, too.
    """

    name = "rekor"

    def connect(self, address: str, context: BackendContext) -> AbstractContextManager[Witness]:  # noqa: ARG002 - the port has it
        """Raise ConfigurationError: without its key, nothing that a log says could be checked."""
        from hatch_sign.values.errors import ConfigurationError  # noqa: PLC0415 - listing plugins does without

        message = f"the log {address} has no trusted root to be believed under"
        raise ConfigurationError(message, remedy="set `trusted-root` in [tool.hatch-sign.verify]")

    def connect_under(self, address: str, trusted_root: bytes, context: BackendContext) -> AbstractContextManager[Witness]:
        """Return what opens the log at an http or https address; nobody is asked before the first signature.

        `trusted_root` is JSON, as Sigstore instances publish it. Raises MalformedError for another.
        """
        from hatch_sign_sigstore.rekor.log import open_log  # noqa: PLC0415 - only where something is signed
        from hatch_sign_sigstore.rekor.trusted_logs import parse_trusted_logs  # noqa: PLC0415 - as above

        return open_log(address, parse_trusted_logs(trusted_root), context)
