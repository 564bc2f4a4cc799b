"""The tables ``publish``: where a release goes, each with the settings of its publisher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.model import PublishSettings
from hatch_sign.configuration.schema import PUBLISH, of_type, signature_name, text, texts_or_none
from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.configuration.schema import Check, Schema
    from hatch_sign.contract import Publisher

_AT: KeyPath = ("publish",)


def read_publish(value: object, directory: Path, checker: Checker) -> tuple[PublishSettings, ...]:
    """Return the places to publish to, and record mistakes; paths are taken from `directory`.

    The settings of a publisher that is not installed are left as they are: it is missed when something is published.
    """
    found: dict[str, PublishSettings] = {}
    for at, table in checker.tables(value, _AT):
        settings = _read_place(table, at, directory, checker)
        if settings is not None and settings.name in found:
            checker.mistakes.add(at, f"is '{settings.name}', as another is; give it a `name` of its own")
        elif settings is not None:
            found[settings.name] = settings
    return tuple(found.values())


def check_setting(expected: type) -> Check:
    """Return the check of a publisher's setting: a path is a string, and no string or item of an array is empty."""
    if expected is list:
        return texts_or_none
    return text if expected in {str, Path} else of_type(expected)


def absolute_paths(settings: Mapping[str, Any], publisher: Publisher, directory: Path) -> dict[str, Any]:
    """Return `settings` with every path made absolute: ``~`` is the user's home, and the rest is taken from `directory`."""
    types = publisher.settings
    return {k: directory / Path(v).expanduser() if types.get(k) is Path else v for k, v in settings.items()}


def _read_place(table: Mapping[str, Any], at: KeyPath, directory: Path, checker: Checker) -> PublishSettings | None:
    publisher = _publisher(table.get("to"), checker)
    own = {} if publisher is None else {key: check_setting(type_) for key, type_ in publisher.settings.items()}
    schema: Schema = {**own, **PUBLISH}
    values = checker.table(table, schema, at, others=() if publisher is not None else set(table) - set(schema))
    if "to" not in table:
        checker.mistakes.add(at, 'lacks `to`, the publisher: "index", "github", "folder", or that of a plugin')
    if "to" not in values:
        return None
    name = values.get("name", values["to"])
    if problem := signature_name(name):
        checker.mistakes.add((*at, "to"), problem)
        return None
    if publisher is None:
        settings = {key: value for key, value in table.items() if key not in PUBLISH}
        return PublishSettings(name, values["to"], settings, checked=False)
    settings = {key: value for key, value in values.items() if key in own}
    return PublishSettings(name, values["to"], absolute_paths(settings, publisher, directory))


def _publisher(name: object, checker: Checker) -> Publisher | None:
    try:
        return checker.plugins.publisher(name) if isinstance(name, str) else None
    except PluginError:
        return None
