"""Import one plugin, hold it against the contract, and take what it registers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

from hatch_sign.contract import hookspecs
from hatch_sign.contract.hookspecs import ENTRY_POINT_GROUP
from hatch_sign.values.display import display
from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from hatch_sign.registry.entries import Entry


def new_manager() -> pluggy.PluginManager:
    """Return a plugin manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(ENTRY_POINT_GROUP)
    manager.add_hookspecs(hookspecs)
    return manager


def import_plugin(entry: Entry) -> object:
    """Import what `entry` names. Raises PluginError naming the distribution, whatever the import raises."""
    try:
        return entry.point.load()
    except (Exception, SystemExit) as error:  # a plugin's import may raise anything, and must not take others with it
        message = f"{entry.title} cannot be imported: {type(error).__name__}: {display(error)}"
        raise PluginError(message, remedy=f"reinstall or uninstall {entry.distribution}") from error


def register(manager: pluggy.PluginManager, entry: Entry, plugin: object) -> None:
    """Register `plugin`, and refuse hooks that do not exist or do not take the arguments of their specification."""
    try:
        manager.register(plugin, name=f"{entry.distribution}:{entry.kind}.{entry.name}")
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        reason = " ".join(str(error).split())
        message = f"{entry.title} breaks the plugin contract: {reason}"
        raise PluginError(message, remedy=f"ask the author of {entry.distribution}") from error


def load_registered(entry: Entry) -> Any:  # noqa: ANN401 - the caller's kind decides the type, checked below
    """Return the one object that the plugin of `entry` registers for its kind.

    Each plugin is held against the contract in a manager of its own, so that a broken one never breaks another.
    """
    manager = new_manager()
    register(manager, entry, import_plugin(entry))
    name = f"hatch_sign_register_{entry.kind.replace('-', '_')}"
    hook = getattr(manager.hook, name)
    if not hook.get_hookimpls():
        raise _broken(entry, f"it does not implement {name}")
    try:
        registered = hook()
    except (Exception, SystemExit) as error:  # as for the import
        raise _broken(entry, f"{name} raised {type(error).__name__}: {display(error)}") from error
    if len(registered) != 1:
        raise _broken(entry, f"{name} returned nothing")
    _check(entry, registered[0])
    return registered[0]


def _check(entry: Entry, registered: object) -> None:
    try:
        _CHECKS[entry.kind](entry, registered)
    except PluginError:
        raise
    except Exception as error:  # what was registered may be of any type, and its properties may raise anything
        raise _broken(entry, f"what it registers raised {type(error).__name__}: {display(error)}") from error


def _check_backend(entry: Entry, backend: Any) -> None:  # noqa: ANN401 - what a plugin returned may be anything
    _require_attributes(entry, backend, ("name", "uri_schemes", "open"))
    _require_call(entry, backend.open, 2, "open(reference, context)")
    if isinstance(backend.uri_schemes, str):
        raise _broken(entry, "its uri_schemes are one text, expected a sequence of schemes")
    if entry.name not in backend.uri_schemes:
        raise _broken(entry, f"its backend opens {', '.join(backend.uri_schemes)}, not {entry.name}")


_ARTIFACTS = (".whl", ".tar.gz", ".zip", ".pyz", ".pyzw", ".exe", ".dll", ".pyd")
"""How names of what is signed end. A format whose files were called so, or less, would hide them from verification."""


def _check_format(entry: Entry, format_: Any) -> None:  # noqa: ANN401 - as above
    _require_attributes(entry, format_, ("name", "kind", "suffix", "verifier", "producer", "options"))
    _require_name(entry, format_)
    kinds = ("sidecar", "aggregate", "embedded", "manifest")
    if format_.kind not in kinds:
        raise _broken(entry, f"its kind is {format_.kind!r}, expected one of {', '.join(kinds)}")
    if (format_.kind == "embedded") == bool(format_.suffix):
        raise _broken(entry, f"its suffix is {format_.suffix!r}; embedded formats have none, all others have one")
    if format_.suffix and _hides_artifacts(format_.suffix):
        raise _broken(entry, f"its suffix {format_.suffix} is that of artifacts, which it would hide from verification")


def _hides_artifacts(suffix: str) -> bool:
    hidden = (ending for ending in (*_ARTIFACTS, ".json") if ending.endswith(suffix))
    return suffix.endswith(_ARTIFACTS) or any(hidden)


def _check_witness(entry: Entry, provider: Any) -> None:  # noqa: ANN401 - as above
    _require_attributes(entry, provider, ("name", "connect"))
    _require_name(entry, provider)
    _require_call(entry, provider.connect, 2, "connect(address, context)")


def _check_trust(entry: Entry, kind: Any) -> None:  # noqa: ANN401 - as above
    _require_attributes(entry, kind, ("name", "selector", "settings", "parse"))
    _require_name(entry, kind)
    _require_call(entry, kind.parse, 2, "parse(table, read)")


def _check_publisher(entry: Entry, publisher: Any) -> None:  # noqa: ANN401 - as above
    _require_attributes(entry, publisher, ("name", "settings", "open"))
    _require_name(entry, publisher)
    _require_call(entry, publisher.open, 2, "open(settings, context)")


_CHECKS: dict[str, Callable[[Entry, Any], None]] = {
    "backend": _check_backend,
    "bundle-signer": _check_backend,
    "publisher": _check_publisher,
    "format": _check_format,
    "witness": _check_witness,
    "trust": _check_trust,
}


def _require_attributes(entry: Entry, value: object, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not hasattr(value, name)]
    if missing:
        raise _broken(entry, f"what it registers, a {type(value).__name__}, lacks {', '.join(missing)}")


def _require_name(entry: Entry, value: Any) -> None:  # noqa: ANN401 - as above
    if value.name != entry.name:
        raise _broken(entry, f"it registers {value.name!r} under the name {entry.name!r}")


def _require_call(entry: Entry, function: Callable[..., object], arguments: int, shape: str) -> None:
    try:
        inspect.signature(function).bind(*range(arguments))
    except (TypeError, ValueError):
        raise _broken(entry, f"expected {shape}") from None


def _broken(entry: Entry, what: str) -> PluginError:
    message = f"{entry.title} breaks the plugin contract: {what}"
    return PluginError(message, remedy=f"ask the author of {entry.distribution}")
