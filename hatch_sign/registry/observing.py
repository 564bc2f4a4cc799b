"""Observers: the only hooks that broadcast, and only to those that the configuration lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.errors import HatchSignError, PluginError

if TYPE_CHECKING:
    import pluggy

    from hatch_sign.contract.observers import SignatureRecord
    from hatch_sign.values.outcomes import Outcome


class Observers:
    """The configured observers behind one call each. An observer vetoes by raising."""

    def __init__(self, manager: pluggy.PluginManager) -> None:
        self._manager = manager

    def before_sign(self, record: SignatureRecord) -> None:
        """Tell of a signature that is about to be made. Raises HatchSignError for a veto."""
        self._call("hatch_sign_before_sign", record=record)

    def after_sign(self, record: SignatureRecord) -> None:
        """Tell of a signature that was made and checked. Raises HatchSignError for a veto."""
        self._call("hatch_sign_after_sign", record=record)

    def after_verify(self, outcome: Outcome) -> None:
        """Tell of an outcome of verification. Raises HatchSignError for a veto."""
        self._call("hatch_sign_after_verify", outcome=outcome)

    def _call(self, hook: str, **arguments: object) -> None:
        try:
            getattr(self._manager.hook, hook)(**arguments)
        except HatchSignError:
            raise
        except (Exception, SystemExit) as error:
            message = f"an observer failed in {hook}: {type(error).__name__}"
            raise PluginError(message, remedy="see `observers` in the configuration") from error
