"""Transparency logs that signatures by keys are entered in: what must be right before any of them is asked."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from hatch_sign.configuration.source import read_limited
from hatch_sign.contract import ConnectsUnderRoot
from hatch_sign.signing.witnessing import FirstThatAnswers
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hatch_sign.configuration.model import Configuration, SignatureSettings
    from hatch_sign.contract import BackendContext, Witness
    from hatch_sign.registry import Registry

PROVIDER = "rekor"
"""The provider that serves ``log``."""


def require_loggable(configuration: Configuration, registry: Registry) -> None:
    """Raise ConfigurationError for logs that could not be believed, or that no format of their signature has a place for.

    The trusted root is read, and not looked into.

    Raises PluginError where what asks logs is not installed.
    """
    for settings in configuration.signatures:
        if settings.log and not registry.signs_bundles(settings.key):
            registry.witness(PROVIDER)
            read_limited(_require_root(configuration))
            _require_place(settings, registry)


class Logs:
    """The logs of a run: each is connected once, however many signatures name it."""

    def __init__(self, configuration: Configuration, registry: Registry, context: BackendContext, stack: ExitStack) -> None:
        """Connect nothing yet; what is connected later is closed with `stack`."""
        self._configuration = configuration
        self._registry = registry
        self._context = context
        self._stack = stack
        self._connected: dict[str, Witness] = {}

    def witnesses(self, addresses: Sequence[str]) -> tuple[Witness, ...]:
        """Return the logs at `addresses`, which are tried in order, as one witness; none without addresses.

        Raises ConfigurationError for a trusted root that cannot be read, or is none.
        """
        if not addresses:
            return ()
        return (FirstThatAnswers([self._log(address) for address in addresses], self._context.warn),)

    def _log(self, address: str) -> Witness:
        if address not in self._connected:
            self._connected[address] = self._stack.enter_context(self._open(address))
        return self._connected[address]

    def _open(self, address: str) -> AbstractContextManager[Witness]:
        provider = self._registry.witness(PROVIDER)
        if not isinstance(provider, ConnectsUnderRoot):
            return provider.connect(address, self._context)
        path = _require_root(self._configuration)
        try:
            return provider.connect_under(address, read_limited(path), self._context)
        except MalformedError as error:
            message = f"{display(path)}: {error.message}"
            raise ConfigurationError(message, remedy=error.remedy or "see `trusted-root` in the configuration") from None


def _require_root(configuration: Configuration) -> Path:
    root = configuration.verify.trusted_root
    if root is None:
        message = "`log` is set without `trusted-root`: nobody could tell whether an answer is by the log"
        raise ConfigurationError(message, remedy="set `trusted-root` in [tool.hatch-sign.verify] to that of the instance")
    return root


def _require_place(settings: SignatureSettings, registry: Registry) -> None:
    taking = [name for name in settings.formats if registry.format(name).carries_log_entries]
    if not taking:
        message = f"`log` is set, and signatures as {', '.join(settings.formats)} have no place for entries of a log"
        raise ConfigurationError(message, remedy="add the format sigstore or statement, or take `log` away")
    if any(settings.options.get(name, {}).get("bundle-certificate") for name in taking):
        message = "`log` is set with `bundle-certificate`, and entries are made for keys, not for certificates"
        raise ConfigurationError(message, remedy="take one of them away")
