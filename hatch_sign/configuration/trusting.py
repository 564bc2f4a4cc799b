"""The table ``verify``: what is required, and which rules may vouch. Nothing outside the file has a say in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.mistakes import dotted, nearest
from hatch_sign.configuration.model import DEFAULT_FORMATS, TrustSettings, VerifySettings
from hatch_sign.configuration.registries import known_formats, owner_of_selector
from hatch_sign.configuration.schema import TRUST, VERIFY, of_type, text
from hatch_sign.registry.known import how_to_install
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.configuration.schema import Schema
    from hatch_sign.configuration.signatures import Draft
    from hatch_sign.contract import TrustKind

_AT: KeyPath = ("verify",)


def read_verify(
    table: Mapping[str, Any], drafts: Sequence[Draft], directory: Path, checker: Checker, *, inside: Sequence[str] = ()
) -> VerifySettings:
    """Return what is trusted, and record mistakes.

    `drafts` are the signatures as the file alone has them, `inside` the formats of what is signed inside wheels.
    """
    values = checker.table(table, VERIFY, _AT)
    declared = tuple(values.get("signatures", ()))
    names = {*declared, *(draft.name for draft in drafts if draft.name)}
    if "require" in values:
        _check_required(values["require"], names, checker)
    configured = tuple(dict.fromkeys([*(name for draft in drafts for name in draft.format_names), *inside]))
    return VerifySettings(
        require=tuple(values.get("require", configured or DEFAULT_FORMATS)),
        timestamp_roots=_file_or_pem(values.get("timestamp-roots"), directory),
        trusted_root=directory / values["trusted-root"] if "trusted-root" in values else None,
        trust=tuple(_read_rules(values.get("trust", ()), checker)),
        signatures=declared,
    )


def _check_required(required: Sequence[str], names: Iterable[str], checker: Checker) -> None:
    known = {*names, *known_formats(checker.plugins)}
    for index, name in enumerate(required):
        if name not in known:
            problem = f"'{display(name)}' is neither a format nor the name of a signature{nearest(name, known)}"
            checker.mistakes.add((*_AT, "require", index), problem)
        elif name not in names:
            checker.formats([name], (*_AT, "require"))


def _read_rules(value: object, checker: Checker) -> Iterable[TrustSettings]:
    for at, table in checker.tables(value, (*_AT, "trust")):
        kind = _kind_of(table, at, checker)
        if kind is None:
            checker.table(table, TRUST, at, others=set(table) - set(TRUST))  # its other keys have no meaning yet
        else:
            yield _read_rule(kind, table, at, checker)


def _read_rule(kind: TrustKind, table: Mapping[str, Any], at: KeyPath, checker: Checker) -> TrustSettings:
    own: Schema = {key: _check_setting(expected) for key, expected in kind.settings.items()}
    values = checker.table(table, {**own, **TRUST}, at)
    checker.formats(values.get("formats", ()), (*at, "formats"))
    begins, ends = _first_instant(values.get("not-before")), _last_instant(values.get("not-after"))
    if begins and ends and begins > ends:
        checker.mistakes.add((*at, "not-after"), "is before `not-before`, so the rule would never vouch")
    return TrustSettings(
        kind=kind.name,
        table={key: value for key, value in values.items() if key in own},
        label=f"{dotted(at)} ({_title(kind, values)})",
        formats=_optional_tuple(values.get("formats")),
        artifacts=_optional_tuple(values.get("artifacts")),
        signatures=_optional_tuple(values.get("signatures")),
        not_before=begins,
        not_after=ends,
    )


def _kind_of(table: Mapping[str, Any], at: KeyPath, checker: Checker) -> TrustKind | None:
    kinds = [kind for kind in checker.plugins.trust_kinds().values() if kind.selector & table.keys()]
    missing = {owner for key in table if (owner := owner_of_selector(key))}
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        keys = sorted(key for kind in kinds for key in kind.selector & table.keys())
        checker.mistakes.add(at, f"has both {' and '.join(f'`{key}`' for key in keys)}; write a rule for each")
    elif missing:
        checker.mistakes.add(at, f"is a rule of a kind that is not installed; {how_to_install(min(missing))}")
    else:
        _report_no_selector(table, at, checker)
    return None


def _report_no_selector(table: Mapping[str, Any], at: KeyPath, checker: Checker) -> None:
    selectors = sorted({key for kind in checker.plugins.trust_kinds().values() for key in kind.selector})
    hints = [(key, hint) for key in table if key not in TRUST and (hint := nearest(key, selectors))]
    for key, hint in hints:
        checker.mistakes.add((*at, key), f"is not a known key{hint}")
    if not hints:
        expected = " or ".join(f"`{key}`" for key in selectors) or "a plugin that brings kinds of trust rules"
        checker.mistakes.add(at, f"says nothing of whom it trusts, expected {expected}")


def _check_setting(expected: type) -> Any:  # noqa: ANN401 - a Check; strings may be of several lines, but never empty
    def check(value: object) -> str:
        problem = of_type(expected)(value)
        return problem if problem or expected is not str or "\n" in str(value) else text(value)

    return check


def _title(kind: TrustKind, values: Mapping[str, Any]) -> str:
    key = next((key for key in sorted(kind.selector) if key in values), min(kind.selector))
    value = str(values.get(key, ""))
    return f"{key}, inline" if "\n" in value else f"{key} {display(value)}"


def _first_instant(value: date | None) -> datetime | None:
    """Return the instant that ``not-before`` names: a date begins with its day in UTC."""
    return _instant(value, time.min)


def _last_instant(value: date | None) -> datetime | None:
    """Return the instant that ``not-after`` names: a date lasts to the end of its day in UTC."""
    return _instant(value, time.max)


def _instant(value: date | None, of_day: time) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        return datetime.combine(value, of_day, UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the first or last day there is, in another zone
        return value.replace(tzinfo=UTC)


def _file_or_pem(value: str | None, directory: Path) -> Path | str | None:
    return value if value is None or "-----BEGIN " in value else directory / value


def _optional_tuple(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
