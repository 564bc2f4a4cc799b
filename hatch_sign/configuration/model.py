"""A checked configuration. Every path in it is absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
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
    order; with `timestamp_optional`, what none of them vouches for is signed all the same. `log` are addresses of
    transparency logs, tried in order. `options` maps each format's name to those of its own settings that were given.
    """

    name: str | None
    key: str
    formats: tuple[str, ...] = DEFAULT_FORMATS
    certificates: Path | None = None
    include: tuple[str, ...] = ("*",)
    timestamp: tuple[str, ...] = ()
    timestamp_optional: bool = False
    log: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ContentsSettings:
    """What is signed inside wheels, before they are signed themselves: files that `include` matches and `exclude` does not.

    Patterns are held against the base name and against the whole path, without regard to case. `key` is None where no key
    is configured; `certificates`, `timestamp`, `timestamp_optional` and `options` are as for a signature. Files that are
    signed by somebody else are left alone unless `replace_signatures`.
    """

    formats: tuple[str, ...] = DEFAULT_CONTENTS_FORMATS
    include: tuple[str, ...] = DEFAULT_CONTENTS
    key: str | None = None
    exclude: tuple[str, ...] = ()
    certificates: Path | None = None
    timestamp: tuple[str, ...] = ()
    timestamp_optional: bool = False
    replace_signatures: bool = False
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def covers(self, path: str) -> bool:
        """Return whether the file at a path, inside a wheel or below a folder, is one to be signed."""
        return _matches(path, self.include) and not self.leaves_out(path)

    def leaves_out(self, path: str) -> bool:
        """Return whether the file at a path is excluded by a pattern."""
        return _matches(path, self.exclude)

    @property
    def signature(self) -> SignatureSettings | None:
        """The same as settings of one signature; None without a key."""
        if self.key is None:
            return None
        return SignatureSettings(
            name=None,
            key=self.key,
            formats=self.formats,
            certificates=self.certificates,
            timestamp=self.timestamp,
            timestamp_optional=self.timestamp_optional,
            options=self.options,
        )


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    whole = path.lower()  # Windows, where these files run, tells no case
    candidates = (whole, whole.rpartition("/")[2])
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in candidates)


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

    `timestamp_roots` is a file, or as text the PEM itself; `trusted_root` is the file under which the answers of
    transparency logs are believed. `signatures` are names that `require` may hold although the
    configuration signs nothing: a consumer's.
    """

    require: tuple[str, ...] = DEFAULT_FORMATS
    timestamp_roots: Path | str | None = None
    trusted_root: Path | None = None
    trust: tuple[TrustSettings, ...] = ()
    signatures: tuple[str, ...] = ()

    @property
    def asks_for_revocations(self) -> bool:
        """Whether some rule wants to know what authorities took back, for which a network may have to be asked."""
        return any(settings.table.get("revocation", "off") != "off" for settings in self.trust)


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """One place to publish to: a publisher by its name, and its own settings, in which every path is absolute.

    `name` is what the place is chosen by, unique in a configuration. `checked` is False where the publisher is not installed
    here, so that nobody knows its settings: a machine that only verifies needs none.
    """

    name: str
    to: str
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    checked: bool = True


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """What `hatch-sign release check` holds a release against.

    `expect` are patterns of file names, each of which an artifact must match; empty for an sdist and at least one wheel.
    `projects` are the normalised names of those that are released together, in one version; empty for one, of any name.
    `tag` is how the version stands in a tag, with ``{version}`` in it; empty for the version alone, or after a ``v``.
    """

    expect: tuple[str, ...] = ()
    tag: str = ""
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration, checked. `path` is None where there is no file; then `directory` is the working directory."""

    path: Path | None
    directory: Path
    signatures: tuple[SignatureSettings, ...] = ()
    contents: ContentsSettings | None = None
    verify: VerifySettings = VerifySettings()
    publish: tuple[PublishSettings, ...] = ()
    release: ReleaseSettings = ReleaseSettings()
    output_directory: Path | None = None
    observers: tuple[str, ...] = DEFAULT_OBSERVERS
    audit_file: Path | None = None
    minimum_protection: ProtectionLevel | None = None

    @property
    def signs(self) -> tuple[SignatureSettings, ...]:
        """All that is signed: artifacts, and what is inside them."""
        inside = self.contents.signature if self.contents is not None else None
        return self.signatures if inside is None else (*self.signatures, inside)

    @property
    def signature_names(self) -> frozenset[str]:
        """The names that signatures may have: those that are made here, and those that a consumer's file declares."""
        return frozenset({*self.verify.signatures, *(s.name for s in self.signatures if s.name is not None)})
