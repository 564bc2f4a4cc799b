"""Make the configured trust into one file for consumers, which names no other file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.building import build_policy, parse_rule, reader
from hatch_sign.configuration.source import LARGEST, read_limited
from hatch_sign.trust.export import encode_trust_file, public_trusted_root
from hatch_sign.trust.pem import public_blocks
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration, TrustSettings
    from hatch_sign.configuration.registries import Plugins


def export_trust(configuration: Configuration, registry: Plugins, *, at: datetime) -> str:
    """Return the text of a ``hatch-sign.toml`` that trusts whom `configuration` trusts; files become PEM inside.

    Raises ConfigurationError where the trust is wrong, is nobody, or holds a rule that must have a file of its own.
    """
    build_policy(configuration, registry, at=at)  # reports every mistake before anything is written
    verify = configuration.verify
    rules = [_inline(settings, configuration.directory, registry) for settings in verify.trust]
    names = tuple(settings.name for settings in configuration.signatures if settings.name) + verify.signatures
    roots = verify.timestamp_roots
    text = encode_trust_file(
        [_table(settings) for settings in rules],
        require=verify.require,
        signatures=[name for name in dict.fromkeys(names) if name in verify.require],
        timestamp_roots=_public_text(read_limited(roots), display(roots)) if isinstance(roots, Path) else roots,
        contents=_contents(configuration),
    )
    if len(text.encode()) > LARGEST:
        message = f"the trust is larger than the {LARGEST} bytes of a configuration"
        raise ConfigurationError(message, remedy="hand large revocation lists on as files beside it, or let them be fetched")
    tomllib.loads(text)  # what cannot be read back must not be handed on
    return text


def _contents(configuration: Configuration) -> dict[str, Any] | None:
    """Return which files inside wheels must be signed, where any must: what is left out here, consumers must leave out."""
    contents = configuration.contents
    if contents is None or not set(contents.formats) & set(configuration.verify.require):
        return None
    table = {"formats": contents.formats, "include": contents.include, "exclude": contents.exclude}
    return {key: value for key, value in table.items() if value}


@dataclass
class _Recorder:
    """Reads files for a rule, and remembers which: only the rule's kind knows which of its settings name files."""

    directory: Path
    files: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, name: str) -> bytes:
        self.files[name] = reader(self.directory)(name)
        return self.files[name]


def _inline(settings: TrustSettings, directory: Path, registry: Plugins) -> TrustSettings:
    recorder = _Recorder(directory)
    parse_rule(settings, registry, recorder)
    texts = {name: _public_text(data, display(name)) for name, data in recorder.files.items()}
    inlined = replace(settings, table={key: _replaced(value, texts) for key, value in settings.table.items()})
    parse_rule(inlined, registry, _refuse_reading(settings))
    return inlined


def _replaced(value: Any, texts: Mapping[str, str]) -> Any:  # noqa: ANN401 - a value of TOML
    if isinstance(value, list):
        return [_replaced(item, texts) for item in value]
    return texts.get(value, value) if isinstance(value, str) else value


def _public_text(data: bytes, subject: str) -> str:
    """Return the PEM blocks alone: comments beside them were not written for consumers, nor were private keys.

    A trusted root of Sigstore, which is JSON, is returned whole.
    """
    if text := public_trusted_root(data, subject):
        return text
    from hatch_sign.trust.revocation_settings import revocation_pem  # noqa: PLC0415 - loads cryptography's certificates

    text = public_blocks(data) or revocation_pem(data)
    if not text:
        message = f"{subject} holds no PEM, which alone can stand inside another file"
        raise ConfigurationError(message, remedy="convert it to PEM")
    return text


def _refuse_reading(settings: TrustSettings) -> Any:  # noqa: ANN401 - a Reader that never returns
    def read(name: str) -> bytes:
        message = f"{settings.label}: needs the file {display(name)}, and cannot stand in one file with it"
        raise ConfigurationError(message, remedy="hand the file on beside the configuration")

    return read


def _table(settings: TrustSettings) -> dict[str, Any]:
    common = {
        "formats": settings.formats,
        "artifacts": settings.artifacts,
        "signatures": settings.signatures,
        "not-before": settings.not_before,
        "not-after": settings.not_after,
    }
    return {**settings.table, **{key: value for key, value in common.items() if value is not None}}
