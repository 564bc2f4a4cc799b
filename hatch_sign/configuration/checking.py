"""Hold tables against their schemas: what is right is returned, what is wrong is recorded, and nothing stops early."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.mistakes import Mistakes, dotted, nearest
from hatch_sign.configuration.registries import Plugins, known_formats
from hatch_sign.configuration.schema import of_type
from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.configuration.schema import Schema
    from hatch_sign.contract import Format


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks one configuration against the plugins that are installed."""

    plugins: Plugins
    mistakes: Mistakes

    def table(
        self,
        table: Mapping[str, Any],
        schema: Schema,
        at: KeyPath,
        *,
        others: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return the keys of `schema` whose values are right. Keys in `others` are left to somebody else."""
        right = {}
        for key, value in table.items():
            if key in schema:
                problem = schema[key](value)
                if problem:
                    self.mistakes.add((*at, key), problem)
                else:
                    right[key] = value
            elif key not in others:
                self.mistakes.add((*at, key), f"is not a known key{nearest(key, {*schema, *others})}")
        return right

    def tables(self, value: object, at: KeyPath) -> list[tuple[KeyPath, Mapping[str, Any]]]:
        """Return the tables in an array, each with its path."""
        found: list[tuple[KeyPath, Mapping[str, Any]]] = []
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                found.append(((*at, index), item))
            else:
                self.mistakes.add((*at, index), f"{of_type(dict)(item)}; write it as [[{dotted(at)}]]")
        return found

    def formats(self, names: Sequence[str], at: KeyPath) -> tuple[Format, ...]:
        """Return the formats of these names that are installed, and record the others."""
        found = []
        for index, name in enumerate(names):
            format_ = self.format(name)
            if isinstance(format_, str):
                self.mistakes.add((*at, index), format_)
            else:
                found.append(format_)
        return tuple(found)

    def format(self, name: str) -> Format | str:
        """Return the format of this name, or what is wrong with asking for it."""
        try:
            return self.plugins.format(name)
        except PluginError as error:
            known = known_formats(self.plugins)
            return str(error) if name in known else f"{error}{nearest(name, known)}"
