"""A checked configuration. Every path in it is absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatch_sign.values.protection import ProtectionLevel

DEFAULT_FORMATS = ("sigstore",)
"""What is written, and so required, where nothing is said."""

DEFAULT_CONTENTS_FORMATS = ("authenticode",)
DEFAULT_CONTENTS = ("*.pyd", "*.dll", "*.exe")
"""What is signed inside wheels, and how, where nothing is said."""

DEFAULT_OBSERVERS = ("audit",)
"""Who is told of every signature, where nothing is said."""


@dataclass(frozen=True, slots=True)
class SignatureSettings:
    """One signature to make of each artifact whose name matches a pattern of `include`.

    `name` is None for the only, or the default, signature. `timestamp` are addresses of RFC 3161 authorities, tried in
    order. `options` maps each format's name to those of its own settings that were given.
    """

    name: str | None
    key: str
    formats: tuple[str, ...] = DEFAULT_FORMATS
    certificates: Path | None = None
    include: tuple[str, ...] = ("*",)
    timestamp: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ContentsSettings:
    """What is signed inside wheels, before they are signed themselves. `key` is None where no key is configured."""

    formats: tuple[str, ...] = DEFAULT_CONTENTS_FORMATS
    include: tuple[str, ...] = DEFAULT_CONTENTS
    key: str | None = None


@dataclass(frozen=True, slots=True)
class TrustSettings:
    """One trust rule, not yet parsed by its kind.

    `table` holds the kind's own settings only. `label` names the rule to people, such as ``verify.trust[0] (public-key
    release.pub)``. None in `formats`, `artifacts` (patterns) and `signatures` (names) means all. Both ends of its time are
    inclusive, aware, UTC.
    """

    kind: str
    table: Mapping[str, Any] = field(hash=False)
    label: str
    formats: tuple[str, ...] | None = None
    artifacts: tuple[str, ...] | None = None
    signatures: tuple[str, ...] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """What is trusted. `require` names formats and signatures; it is never empty.

    `timestamp_roots` is a file, or as text the PEM itself. `signatures` are names that `require` may hold although the
    configuration signs nothing: a consumer's.
    """

    require: tuple[str, ...] = DEFAULT_FORMATS
    timestamp_roots: Path | str | None = None
    trust: tuple[TrustSettings, ...] = ()
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration, checked. `path` is None where there is no file; then `directory` is the working directory."""

    path: Path | None
    directory: Path
    signatures: tuple[SignatureSettings, ...] = ()
    contents: ContentsSettings | None = None
    verify: VerifySettings = VerifySettings()
    output_directory: Path | None = None
    observers: tuple[str, ...] = DEFAULT_OBSERVERS
    audit_file: Path | None = None
    minimum_protection: ProtectionLevel | None = None

    @property
    def signature_names(self) -> frozenset[str]:
        """The names that signatures may have: those that are made here, and those that a consumer's file declares."""
        return frozenset({*self.verify.signatures, *(s.name for s in self.signatures if s.name is not None)})
