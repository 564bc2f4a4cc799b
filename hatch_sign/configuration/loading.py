"""Find the configuration, load it, and report all its mistakes at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.configuration.checking import Checker
from hatch_sign.configuration.contents import contents_formats, read_contents
from hatch_sign.configuration.mistakes import Mistakes
from hatch_sign.configuration.model import DEFAULT_OBSERVERS, Configuration
from hatch_sign.configuration.overrides import Override, Overrides, gather_overrides
from hatch_sign.configuration.publishing import read_publish
from hatch_sign.configuration.releasing import read_release
from hatch_sign.configuration.signatures import apply_overrides, build_signatures, read_signatures
from hatch_sign.configuration.source import OWN_FILE, PROJECT_FILE, Source, read_source
from hatch_sign.configuration.trusting import read_verify
from hatch_sign.configuration.wrapping import check_build
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.protection import ProtectionLevel

if TYPE_CHECKING:
    from hatch_sign.configuration.registries import Plugins

__all__ = ["Overrides", "find_configuration", "load_configuration"]


def find_configuration(directory: Path, explicit: Path | None) -> Path | None:
    """Return the configuration's path, absolute: `explicit`, else the one in `directory`; None where there is none.

    That is ``pyproject.toml`` with a table ``tool.hatch-sign``, or ``hatch-sign.toml``. Raises ConfigurationError for
    both at once, and for a file that is no TOML: what it says of trust must not be passed over.
    """
    if explicit is not None:
        return (directory / explicit).absolute()
    found = [path for name in (PROJECT_FILE, OWN_FILE) if _has_content(path := (directory / name).absolute())]
    if len(found) > 1:
        message = f"{display(found[0])} holds [tool.hatch-sign], and {display(found[1])} holds a configuration too"
        raise ConfigurationError(message, remedy=f"move everything into {PROJECT_FILE}, or name one with --config")
    return found[0] if found else None


def load_configuration(
    path: Path | None,
    *,
    directory: Path,
    environ: Mapping[str, str],
    overrides: Overrides,
    registry: Plugins,
) -> Configuration:
    """Return the checked configuration in `path`; without one, what `overrides` and `environ` say of signing.

    `directory` is the working directory: paths in `overrides` and `environ` are taken from it, paths in the file from
    the file's folder. Opens no key, and no file but `path`. Raises ConfigurationError with every mistake.
    """
    source = Source(None) if path is None else _read_named(path.absolute())
    mistakes = Mistakes(source)
    checker = Checker(registry, mistakes)
    outside = gather_overrides(overrides, environ, directory.absolute(), mistakes)
    configuration = _read(source, source.path.parent if source.path else directory.absolute(), outside, checker)
    mistakes.raise_any()
    return configuration


def _has_content(path: Path) -> bool:
    return path.exists() and bool(read_source(path).table)


def _read_named(path: Path) -> Source:
    source = read_source(path)
    if source.table is None:
        message = f"{display(path)} holds no table [tool.hatch-sign]"
        raise ConfigurationError(message, remedy="add the table, or name another file")
    return source


def _read(source: Source, directory: Path, outside: Mapping[str, Override], checker: Checker) -> Configuration:
    overriding = outside["formats"].value if "formats" in outside else ()
    values, drafts = read_signatures(source.table or {}, checker, overriding=overriding)
    inside = contents_formats(values.get("contents"))
    verify = read_verify(values.get("verify", {}), drafts, directory, checker, inside=inside)  # before it is overridden
    check_build(values.get("build"), checker, in_project=source.is_project)
    apply_overrides(drafts, outside, checker)
    signatures = tuple(build_signatures(drafts, directory, checker))
    output = outside["output-directory"].value if "output-directory" in outside else values.get("output-directory")
    level = values.get("minimum-protection")
    return Configuration(
        path=source.path,
        directory=directory,
        signatures=signatures,
        contents=read_contents(values.get("contents"), signatures, directory, checker),
        verify=verify,
        publish=read_publish(values.get("publish", ()), directory, checker),
        release=read_release(values.get("release", {}), checker),
        output_directory=_path(directory, output),
        observers=tuple(values.get("observers", DEFAULT_OBSERVERS)),
        audit_file=_path(directory, values.get("audit-file")),
        minimum_protection=None if level is None else ProtectionLevel(level),
    )


def _path(directory: Path, value: str | None) -> Path | None:
    return None if value is None else directory / value
