"""Embedded signatures: which formats are looked for, and what each finds in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hatch_sign.contract import Finding
from hatch_sign.contract.guarding import missing_module
from hatch_sign.contract.kinds import embedded_verifier
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from typing import BinaryIO

    from hatch_sign.configuration.model import ContentsSettings
    from hatch_sign.contract import Format
    from hatch_sign.values.public_keys import PublicKey


def check_embedded(format_: Format, name: str, source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
    """Call an embedded format's verifier, which should never raise; one that does has found nothing to be trusted.

    Raises PluginError where the format lacks a package that it needs.
    """
    try:
        source.seek(0)
        return embedded_verifier(format_).check(name, source, keys)
    except Exception as error:  # noqa: BLE001 - a plugin's bug must end in a verdict, not in a trace
        return failed(format_, error)


def failed(format_: Format, error: Exception) -> Finding:
    """Return the finding of a verifier that failed. Raises PluginError where a package is missing, for whatever file."""
    if isinstance(error, ModuleNotFoundError):
        raise missing_module(error, needed_by=f"format {format_.name}") from None
    return Finding(problem=Verdict.MALFORMED, detail=f"the verifier of {format_.name} failed: {type(error).__name__}")


def embedded_formats(
    formats: Mapping[str, Format], contents: ContentsSettings | None, require: Sequence[str]
) -> tuple[Format, ...]:
    """Return the embedded formats that are looked for inside archives: those of `contents`, and those that are required."""
    names = {*(contents.formats if contents is not None else ()), *require}
    return tuple(format_ for format_ in formats.values() if format_.kind == "embedded" and format_.name in names)
