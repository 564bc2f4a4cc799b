"""The signatures that a configuration makes: one from the keys at the top, or one from each ``[[signature]]`` table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.artifacts.naming import owner_of
from hatch_sign.configuration.mistakes import nearest
from hatch_sign.configuration.model import DEFAULT_CONTENTS_FORMATS, DEFAULT_FORMATS, SignatureSettings
from hatch_sign.configuration.registries import known_formats
from hatch_sign.configuration.schema import NAMED_SIGNATURE, SIGNATURE, TOP, of_type, texts

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.configuration.overrides import Override
    from hatch_sign.configuration.schema import Schema
    from hatch_sign.contract import Format

_SINGULAR = ("key", "certificates", "formats")
"""What an override cannot set for several signatures at once."""

Options = dict[str, dict[str, Any]]
"""The settings of formats, by format and key."""


@dataclass
class Draft:
    """A signature that is still being read: `values` are right as far as they go.

    `formats` are those of the file that are installed; `options` has settings for those, and for the formats that may
    take their place.
    """

    at: KeyPath
    values: dict[str, Any]
    formats: tuple[Format, ...]
    options: Options

    @property
    def name(self) -> str | None:
        """The signature's name."""
        name: str | None = self.values.get("name")
        return name

    @property
    def format_names(self) -> tuple[str, ...]:
        """The formats as they are named, installed or not."""
        return tuple(self.values.get("formats", DEFAULT_FORMATS))


def read_signatures(
    table: Mapping[str, Any],
    checker: Checker,
    *,
    overriding: Sequence[str] = (),
) -> tuple[dict[str, Any], list[Draft]]:
    """Return what is right among the keys at the top, and the signatures; record mistakes in either.

    `overriding` are formats that will take the place of the file's: their settings may stand in the file, too.
    """
    if "signature" not in table:
        draft = _read_draft(table, TOP, (), checker, overriding)
        return draft.values, [draft]
    values = checker.table(table, TOP, (), others=_refuse_beside_tables(table, checker))
    tables = checker.tables(table["signature"], ("signature",))
    drafts = [_read_draft(item, NAMED_SIGNATURE, at, checker, overriding) for at, item in tables]
    _check_names(drafts, checker)
    return values, drafts


def apply_overrides(drafts: Sequence[Draft], overrides: Mapping[str, Override], checker: Checker) -> None:
    """Put what the environment or the command line says in place of what the file says."""
    for key, override in overrides.items():
        if key not in SIGNATURE:
            continue
        if len(drafts) > 1 and key in _SINGULAR:
            problem = f"cannot be for each of {len(drafts)} signatures; take it away, or leave one [[signature]]"
            checker.mistakes.add_outside(override.place, problem)
            continue
        for name in override.value if key == "formats" else ():
            if isinstance(missing := checker.format(name), str):
                checker.mistakes.add_outside(override.place, missing)
        for draft in drafts:
            draft.values[key] = override.value


def build_signatures(drafts: Sequence[Draft], directory: Path, checker: Checker) -> Iterator[SignatureSettings]:
    """Yield the signatures. The one from the keys at the top may lack a key, and then is none: so is a consumer's file."""
    for draft in drafts:
        if "key" in draft.values:
            yield _build(draft, directory)
        elif draft.at:
            checker.mistakes.add(draft.at, "lacks `key`")


def _build(draft: Draft, directory: Path) -> SignatureSettings:
    values = draft.values
    return SignatureSettings(
        name=draft.name,
        key=values["key"],
        formats=draft.format_names,
        certificates=directory / values["certificates"] if "certificates" in values else None,
        include=tuple(values.get("include", ("*",))),
        timestamp=tuple(values.get("timestamp", ())),
        timestamp_optional=values.get("timestamp-optional", False),
        log=tuple(values.get("log", ())),
        options={name: draft.options[name] for name in draft.format_names if name in draft.options},
    )


def _read_draft(
    table: Mapping[str, Any],
    schema: Schema,
    at: KeyPath,
    checker: Checker,
    overriding: Sequence[str],
) -> Draft:
    names = table.get("formats", list(DEFAULT_FORMATS))
    formats = () if texts(names) else checker.formats(names, (*at, "formats"))
    some_missing = len(formats) != len(names) if isinstance(names, list) else True
    others = [checker.format(name) for name in overriding]
    owners = {format_.name: format_ for format_ in (*formats, *others) if not isinstance(format_, str)}
    options, claimed = read_options(table, tuple(owners.values()), at, checker, some_missing=some_missing)
    return Draft(at, checker.table(table, schema, at, others=claimed), formats, options)


def read_options(
    table: Mapping[str, Any],
    formats: Sequence[Format],
    at: KeyPath,
    checker: Checker,
    *,
    some_missing: bool,
) -> tuple[Options, set[str]]:
    """Return the settings of the formats, and every key about which nothing more need be said."""
    options: Options = {}
    claimed = set()
    for key in table.keys() - NAMED_SIGNATURE.keys() - TOP.keys():
        owners = [format_ for format_ in formats if key in format_.options]
        for problem in dict.fromkeys(of_type(owner.options[key])(table[key]) for owner in owners):
            if problem:
                checker.mistakes.add((*at, key), problem)
        for owner in owners:
            options.setdefault(owner.name, {})[key] = table[key]
        elsewhere = "" if owners else _formats_with(key, checker)
        if elsewhere:
            checker.mistakes.add(
                (*at, key), f"is for the format {elsewhere}, which `formats` does not name{_or_inside(key, table, checker)}"
            )
        if owners or elsewhere or (some_missing and not nearest(key, NAMED_SIGNATURE)):  # a missing format may know it
            claimed.add(key)
    return options, claimed


def _refuse_beside_tables(table: Mapping[str, Any], checker: Checker) -> set[str]:
    """Record keys of a signature that stand at the top beside ``[[signature]]``: it is not clear of which they speak."""
    options = {key for key in table.keys() - TOP.keys() if _formats_with(key, checker)}
    for key in table:
        if key in SIGNATURE or key in options:
            checker.mistakes.add((key,), "stands beside [[signature]] tables; move it into the one that it is for")
    return options


def _formats_with(option: str, checker: Checker) -> str:
    """Return the installed formats that an option belongs to, as a phrase; empty where there is none."""
    return " or ".join(name for name, format_ in checker.plugins.formats().items() if option in format_.options)


def _or_inside(option: str, table: Mapping[str, Any], checker: Checker) -> str:
    """Return the hint that an option belongs where files inside wheels are signed; empty where that is not by its format."""
    inside = table.get("contents")
    named = inside.get("formats", list(DEFAULT_CONTENTS_FORMATS)) if isinstance(inside, dict) else []
    owners = () if texts(named) else checker.plugins.formats().items()
    fits = any(name in named and option in format_.options for name, format_ in owners)
    return "; name it there, or put this in [contents]" if fits else ""


def _check_names(drafts: Sequence[Draft], checker: Checker) -> None:
    formats = known_formats(checker.plugins)
    seen: set[str] = set()
    for draft in drafts:
        if draft.name is not None:
            if problem := _problem_of_name(draft, draft.name, seen, formats, checker):
                checker.mistakes.add((*draft.at, "name"), problem)
            seen.add(draft.name)
    unnamed: set[str] = set()
    for draft in drafts:
        if draft.name is None:
            for name in sorted(unnamed.intersection(draft.format_names)):
                checker.mistakes.add(draft.at, f"lacks `name`: another signature of the format {name} has none either")
            unnamed.update(draft.format_names)


def _problem_of_name(draft: Draft, name: str, seen: set[str], formats: set[str], checker: Checker) -> str:
    if name in seen:
        return f"is {name!r}, as another signature's is"
    if name in formats:
        return f"is {name!r}, which is a format's: `require` could mean either"
    thief = _taken_for(draft, name, checker)
    return f"is {name!r}, by which its files would look like those of the format {thief}" if thief else ""


def _taken_for(draft: Draft, name: str, checker: Checker) -> str | None:
    """Return the format whose longer suffix would own the sidecars of this name."""
    installed = checker.plugins.formats().values()
    for format_ in draft.formats:
        owner = owner_of(f"artifact.{name}{format_.suffix}", installed) if format_.kind == "sidecar" else format_
        if owner is not None and owner.name != format_.name:
            return owner.name
    return None
