"""Where to publish: what is configured, what the command line chooses of it, and the settings that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.mistakes import nearest
from hatch_sign.configuration.model import PublishSettings
from hatch_sign.configuration.publishing import absolute_paths, check_setting
from hatch_sign.registry.known import KNOWN_PLUGINS
from hatch_sign.values.display import display
from hatch_sign.values.errors import PluginError, UsageError

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import Publisher
    from hatch_sign.registry import Registry

DEFAULT = "index"
"""The publisher where nothing is configured and none is named."""

_REPOSITORY = frozenset({"repository", "repository-url"})
_OF_REPOSITORY = frozenset({*_REPOSITORY, "index-url"})
"""Settings that say where an index is: where one of the first is given, none that is configured is of the same index."""

_OF_ONE = frozenset({*_REPOSITORY, "username"})
"""Settings that cannot be meant for several indexes at once."""

_OF_NO_MATTER = frozenset({"non-interactive", "verbose"})
"""Settings of an index that say nothing where none is chosen."""

_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Target:
    """A destination that was chosen: its publisher, and checked settings."""

    name: str
    publisher: Publisher
    settings: Mapping[str, Any]


def choose_targets(
    configuration: Configuration,
    registry: Registry,
    *,
    wanted: Sequence[str] = (),
    options: Sequence[str] = (),
    for_index: Mapping[str, Any] | None = None,
    directory: Path,
) -> tuple[Target, ...]:
    """Return the destinations: those that `wanted` names, else all that are configured, else the index.

    A name is that of a configured place, else of a publisher. Each of `options` is ``NAME.KEY=VALUE``; `for_index` are
    settings of whatever index is chosen. Both override what is configured, and take relative paths from `directory`.
    Raises UsageError and ConfigurationError for what says nothing, PluginError for a publisher that is not installed.
    """
    given = _parse_options(options)
    places = _choose(configuration.publish, list(dict.fromkeys(wanted)))
    if unknown := given.keys() - {place.name for place in places}:
        message = f"--option is for '{display(min(unknown))}', which is not published to"
        raise UsageError(message, remedy=f"chosen: {display(', '.join(place.name for place in places))}")
    indexes = [place.name for place in places if place.to == DEFAULT]
    shared = for_index or {}
    _require_one_index(shared, indexes)
    return tuple(
        _target(place, given.get(place.name, {}), shared if place.name in indexes else {}, registry, directory)
        for place in places
    )


def _choose(configured: Sequence[PublishSettings], wanted: Sequence[str]) -> list[PublishSettings]:
    by_name = {place.name: place for place in configured}
    names = wanted or list(by_name) or [DEFAULT]
    return [by_name.get(name, PublishSettings(name, name)) for name in names]


def _parse_options(options: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for option in options:
        name, dot, rest = option.partition(".")
        key, equals, value = rest.partition("=")
        if not (name and dot and key and equals):
            # What was given instead may be anything, a password among it: it is not repeated.
            message = "--option is no NAME.KEY=VALUE"
            raise UsageError(message, remedy="for example --option folder.path=public")
        found.setdefault(name, {})[key] = value
    return found


def _require_one_index(shared: Mapping[str, Any], indexes: Sequence[str]) -> None:
    if not indexes and (lost := shared.keys() - _OF_NO_MATTER):
        message = f"--{min(lost)} is for an index, and none is published to"
        raise UsageError(message, remedy=f"add --to {DEFAULT}, or leave it out")
    if len(indexes) > 1 and (among := sorted(_OF_ONE & shared.keys())):
        message = f"--{among[0]} is for one index, and {len(indexes)} are published to: {display(', '.join(indexes))}"
        raise UsageError(message, remedy=f"choose one with --to, or write --option {indexes[0]}.{among[0]}=VALUE")


def _target(
    place: PublishSettings, options: Mapping[str, str], shared: Mapping[str, Any], registry: Registry, directory: Path
) -> Target:
    publisher = _publisher(place.to, registry)
    parsed = {key: _parse_value(value, publisher.settings.get(key)) for key, value in options.items()}
    given = {**shared, **parsed}
    _check(place.name, given, publisher)
    if not place.checked:  # it was not known when the configuration was read, or names none: no table is without its check
        _check(place.name, place.settings, publisher)
    replaced = _OF_REPOSITORY if _REPOSITORY & given.keys() else ()
    configured = {key: value for key, value in place.settings.items() if key not in replaced}
    return Target(place.name, publisher, {**configured, **absolute_paths(given, publisher, directory)})


def _publisher(name: str, registry: Registry) -> Publisher:
    try:
        return registry.publisher(name)
    except PluginError as error:
        kind = "publisher"
        known = {*registry.publishers(), *(k.partition(".")[2] for k in KNOWN_PLUGINS if k.startswith(f"{kind}."))}
        if name in known or any((entry.kind, entry.name) == (kind, name) for entry in registry.entries):
            raise
        message = f"'{display(name)}' is neither a configured place to publish to nor an installed publisher"
        raise PluginError(message, remedy=f"{error.remedy}{nearest(name, known)}") from None


def _parse_value(value: str, expected: type | None) -> Any:  # noqa: ANN401 - of the type that is expected, as far as it is one
    if expected is bool:
        return _SWITCH.get(value.lower(), value)
    if expected is list:
        return [item.strip() for item in value.split(",") if item.strip()]
    if expected in {int, float}:
        try:
            return expected(value)
        except ValueError:
            return value
    return value


def _check(name: str, settings: Mapping[str, Any], publisher: Publisher) -> None:
    """Raise UsageError for a setting that the publisher does not know, or that is of another type. Repeats no value."""
    for key, value in settings.items():
        expected = publisher.settings.get(key)
        if expected is None:
            hint = nearest(key, publisher.settings)
            message = f"'{display(name)}.{display(key)}' is not a setting of the publisher {publisher.name}{hint}"
            raise UsageError(message, remedy=_known(publisher))
        if problem := check_setting(expected)(value):
            message = f"'{display(name)}.{display(key)}' {problem}"
            raise UsageError(message)


def _known(publisher: Publisher) -> str:
    return f"it knows {', '.join(sorted(publisher.settings))}" if publisher.settings else "it has none"
