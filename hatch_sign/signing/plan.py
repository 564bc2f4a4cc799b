"""What would be signed, by which key, into which files. Opens no key and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.archives.kinds import is_opened
from hatch_sign.artifacts.naming import DISTRIBUTIONS, sidecar_name
from hatch_sign.artifacts.releases import release_of
from hatch_sign.contract.kinds import aggregate_producer
from hatch_sign.signing.identities import refuse_unbundled, refuse_untaken
from hatch_sign.signing.logs import require_loggable
from hatch_sign.signing.planned import PlannedContents, PlannedFile
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import Configuration, SignatureSettings
    from hatch_sign.contract import Format
    from hatch_sign.registry import Registry
    from hatch_sign.values.artifacts import Release


@dataclass(frozen=True, slots=True)
class SigningPlan:
    """A whole run. `folder` is where aggregates go, and what their artifacts' names are relative to."""

    artifacts: tuple[Artifact, ...]
    files: tuple[PlannedFile, ...]
    release: Release | None
    folder: Path
    configuration: Configuration
    contents: tuple[PlannedContents, ...] = ()
    provenance: Mapping[str, Any] | None = None
    """What signed statements say of how the artifacts were built; None where they say no such thing."""

    @property
    def signatures(self) -> tuple[tuple[SignatureSettings, Format], ...]:
        """The settings and formats by which something will be signed, in the order of the configuration."""
        inside = ((planned.settings, format_) for planned in self.contents for format_ in planned.formats)
        outside = ((file.settings, file.format) for file in self.files if file.format.kind != "manifest")
        unique: dict[tuple[SignatureSettings, str], Format] = {}
        for settings, format_ in (*outside, *inside):
            unique.setdefault((settings, format_.name), format_)
        return tuple((settings, format_) for (settings, _), format_ in unique.items())

    @property
    def references(self) -> tuple[str, ...]:
        """The keys that will be opened, each once, in the order of the configuration."""
        return tuple(dict.fromkeys(settings.key for settings, _ in self.signatures))

    @property
    def states_provenance(self) -> bool:
        """Whether some file of it may say how the artifacts were built, so that it is worth finding out."""
        return any(
            format_.states_provenance(settings.options.get(format_.name, {})) for settings, format_ in self.signatures
        )

    def of_kind(self, kind: str) -> tuple[PlannedFile, ...]:
        """Return the files of one kind of format."""
        return tuple(file for file in self.files if file.format.kind == kind)


def plan_release(configuration: Configuration, artifacts: Sequence[Artifact], registry: Registry) -> SigningPlan:
    """Return what signing `artifacts` under `configuration` will write.

    Raises ConfigurationError where no key is configured, UsageError for outputs that collide or artifacts that cannot
    be signed, UnsupportedError for what an identity cannot make, PluginError for a format that is not installed.
    """
    if not configuration.signatures:
        raise _no_key(configuration)
    _refuse_empty(artifacts)
    inside = tuple(_contents(configuration, artifacts, registry))
    if any(s.timestamp for s in (*configuration.signatures, *(planned.settings for planned in inside))):
        registry.witness("rfc3161")  # one that is missing should cost no login
    require_loggable(configuration, registry)
    release = release_of(artifact.name for artifact in artifacts)
    folder = configuration.output_directory or _common_folder(artifacts)
    planner = _Planner(artifacts, release, folder, configuration.output_directory, registry)
    formats = {name: registry.format(name) for settings in configuration.signatures for name in settings.formats}
    files = tuple(
        file
        for settings in configuration.signatures
        for name in settings.formats
        for file in planner.files(settings, formats[name])
    )
    if not files and not inside:
        message = "no artifact matches the `include` of any signature"
        raise ConfigurationError(message, remedy="see `include` in the configuration")
    _refuse_collisions(files)
    plan = SigningPlan(tuple(artifacts), files, release, folder, configuration, inside)
    refuse_unbundled(plan.signatures, registry)
    refuse_untaken(files, registry)
    return plan


def _no_key(configuration: Configuration) -> ConfigurationError:
    """Return the error. Contents are never signed alone: a key forgotten would go unnoticed, and the wheel unsigned."""
    message = "no key is configured"
    if configuration.signs:
        message += " for the artifacts themselves: that of `contents` is for what is inside them"
    elif not configuration.path:
        message += f": there is no configuration in {display(configuration.directory)}"
    return ConfigurationError(message, remedy="set `key` in [tool.hatch-sign], HATCH_SIGN_KEY or --key")


def _contents(configuration: Configuration, artifacts: Sequence[Artifact], registry: Registry) -> Iterator[PlannedContents]:
    """Yield the archives, and the plain files that the configuration of contents speaks of; sdists are left as they are."""
    contents = configuration.contents
    settings = contents.signature if contents is not None else None
    if contents is None or settings is None:
        return
    formats = tuple(registry.format(name) for name in contents.formats)
    for artifact in artifacts:
        is_file = not artifact.name.endswith(DISTRIBUTIONS) and contents.covers(artifact.name_below(artifact.root))
        if is_opened(artifact.name) or is_file:
            yield PlannedContents(artifact, contents, settings, formats)


@dataclass(frozen=True, slots=True)
class _Planner:
    artifacts: Sequence[Artifact]
    release: Release | None
    folder: Path
    output_directory: Path | None
    registry: Registry

    def files(self, settings: SignatureSettings, format_: Format) -> Iterator[PlannedFile]:
        chosen = tuple(a for a in self.artifacts if any(fnmatchcase(a.name, pattern) for pattern in settings.include))
        if not chosen:
            return
        if format_.kind == "sidecar":
            for artifact in chosen:
                path = (self.output_directory or artifact.path.parent) / sidecar_name(artifact.name, format_, settings.name)
                yield PlannedFile(path, format_, settings, (artifact,))
        elif format_.kind == "embedded":
            yield from (PlannedFile(artifact.path, format_, settings, (artifact,)) for artifact in chosen)
        elif format_.kind == "aggregate":
            yield PlannedFile(self.folder / _aggregate_name(format_, self.release), format_, settings, chosen)
        else:
            yield from self._manifest(settings, format_, chosen)

    def _manifest(self, settings: SignatureSettings, format_: Format, chosen: tuple[Artifact, ...]) -> Iterator[PlannedFile]:
        manifest = PlannedFile(self.folder / format_.suffix, format_, settings, chosen)
        sidecars = [f for name in settings.formats if (f := self.registry.format(name)).kind == "sidecar"]
        if not sidecars:
            message = f"format {format_.name} is a list that needs a signature of its own"
            raise ConfigurationError(message, remedy="add a sidecar format, such as `sigstore`, to `formats`")
        yield manifest
        for sidecar in sidecars:
            path = self.folder / sidecar_name(manifest.path.name, sidecar, settings.name)
            yield PlannedFile(path, sidecar, settings, chosen, manifest)


def _aggregate_name(format_: Format, release: Release | None) -> str:
    if release is None:
        message = f"{format_.name} covers one release, and the artifacts do not name exactly one"
        raise UsageError(message, remedy="sign the wheels and the sdist of one version together")
    return aggregate_producer(format_).filename(release)


def _common_folder(artifacts: Sequence[Artifact]) -> Path:
    roots = {artifact.root for artifact in artifacts}
    return roots.pop() if len(roots) == 1 else artifacts[0].path.parent


def _refuse_empty(artifacts: Sequence[Artifact]) -> None:
    empty = [display(artifact.path) for artifact in artifacts if artifact.path.stat().st_size == 0]
    if empty:
        message = f"{', '.join(empty)}: empty, expected an artifact"
        raise UsageError(message, remedy="build it again")


def _refuse_collisions(files: Sequence[PlannedFile]) -> None:
    counts = Counter(file.path for file in files if file.format.kind != "embedded")
    twice = [path for path, count in counts.items() if count > 1]
    if twice:
        message = f"two signatures would be written to {display(twice[0])}"
        remedy = "give signatures of one format names, or artifacts of one name separate folders"
        raise UsageError(message, remedy=remedy)
