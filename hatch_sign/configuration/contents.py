"""The table ``contents``: what is signed inside wheels, by which key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.model import DEFAULT_CONTENTS, DEFAULT_CONTENTS_FORMATS, ContentsSettings, SignatureSettings
from hatch_sign.configuration.schema import CONTENTS
from hatch_sign.configuration.signatures import Options, read_options
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.configuration.checking import Checker
    from hatch_sign.configuration.lines import KeyPath
    from hatch_sign.contract import Format

_AT: KeyPath = ("contents",)


def read_contents(
    table: Mapping[str, Any] | None, signatures: Sequence[SignatureSettings], directory: Path, checker: Checker
) -> ContentsSettings | None:
    """Return what is signed inside wheels, None without the table; record mistakes.

    Where it names no key it is signed by that of the only signature, with its certificates; the authorities for timestamps,
    and the settings of a format, are those of the only signature, too, unless it names others.
    """
    if table is None:
        return None
    options, claimed = _read_options(table, checker)
    values = checker.table(table, CONTENTS, _AT, others=claimed)
    only = signatures[0] if len(signatures) == 1 else None
    if "key" not in values and len(signatures) > 1:
        checker.mistakes.add(_AT, "lacks `key`: several signatures are configured")
    certificates = values.get("certificates")
    inherited = only.certificates if only is not None and "key" not in values else None
    formats = tuple(values.get("formats", DEFAULT_CONTENTS_FORMATS))
    return ContentsSettings(
        formats=formats,
        include=tuple(values.get("include", DEFAULT_CONTENTS)),
        key=values.get("key", only.key if only is not None else None),
        exclude=tuple(values.get("exclude", ())),
        certificates=inherited if certificates is None else directory / certificates,
        timestamp=tuple(values.get("timestamp", only.timestamp if only is not None else ())),
        timestamp_optional=values.get("timestamp-optional", only is not None and only.timestamp_optional),
        replace_signatures=values.get("replace-signatures", False),
        options={**_options_above(only, formats), **options},
    )


def contents_formats(table: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the formats of what is signed inside wheels; none without the table, or where they are named wrongly."""
    names = [] if table is None else table.get("formats", list(DEFAULT_CONTENTS_FORMATS))
    return () if CONTENTS["formats"](names) else tuple(names)


def default_contents(signatures: Sequence[SignatureSettings]) -> ContentsSettings:
    """Return what is signed inside wheels where it is asked for and nothing is configured.

    Raises ConfigurationError where several keys are configured, of which any might be meant.
    """
    if len(signatures) > 1:
        message = f"{len(signatures)} signatures are configured, and it is not clear by which key contents are to be signed"
        raise ConfigurationError(message, remedy="set `key` in [tool.hatch-sign.contents]")
    if not signatures:
        return ContentsSettings()
    only = signatures[0]
    return ContentsSettings(
        key=only.key,
        certificates=only.certificates,
        timestamp=only.timestamp,
        timestamp_optional=only.timestamp_optional,
        options=_options_above(only, DEFAULT_CONTENTS_FORMATS),
    )


def _options_above(only: SignatureSettings | None, formats: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return what the only signature says of the formats."""
    return {} if only is None else {name: only.options[name] for name in formats if name in only.options}


def _read_options(table: Mapping[str, Any], checker: Checker) -> tuple[Options, set[str]]:
    """Return the settings of the formats and their keys, and record formats that cannot write into files."""
    names = table.get("formats", list(DEFAULT_CONTENTS_FORMATS))
    if CONTENTS["formats"](names):
        return {}, set()
    formats = checker.formats(names, (*_AT, "formats"))
    for format_ in formats:
        _require_embedded(format_, checker)
    others = {key: value for key, value in table.items() if key not in CONTENTS}
    return read_options(others, formats, _AT, checker, some_missing=len(formats) != len(names))


def _require_embedded(format_: Format, checker: Checker) -> None:
    if format_.kind != "embedded":
        problem = f"names {format_.name}, whose signatures are files beside the wheel; set it outside `contents`"
        checker.mistakes.add((*_AT, "formats"), problem)
