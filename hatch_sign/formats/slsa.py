"""SLSA Provenance v1: what a statement says of how artifacts were built (https://slsa.dev/spec/v1.0/provenance).

The build type :data:`PLAIN_BUILD_TYPE` is ours: somebody ran a build on a machine that is no build service, and nobody but
the signer says so. Its external and internal parameters are empty. The one dependency that it may resolve is the commit
that the project's folder was checked out at; its annotation ``modified`` says whether tracked files differed from it when
the artifacts were signed. ``finishedOn`` is when they were signed: they were built by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.formats.intoto import Statement

PROVENANCE_CLAIM = "https://slsa.dev/provenance/v1"
"""The predicate type of a build provenance, version 1."""
PLAIN_BUILD_TYPE = "hatch-sign:build/plain/v1"
"""The build type of a build on a plain machine, as above. It resolves to nothing: this module describes it."""
PLAIN_BUILDER = "hatch-sign:builder/plain"
"""The builder of such a build: nobody whom anyone should trust for being named here."""

_OLD_PROVENANCE_CLAIM = "https://slsa.dev/provenance/v0.2"


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that went into a build. Either `uri` or `digest` says what (in-toto ResourceDescriptor v1)."""

    uri: str = ""
    digest: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    annotations: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Build:
    """One build, as SLSA tells of builds: `build_type` gives the parameters their meaning, `builder` ran it.

    `versions` maps parts of the builder to their versions. Times are aware; None where they are not known.
    """

    build_type: str
    builder: str
    external: Mapping[str, Any] = field(default_factory=dict)
    internal: Mapping[str, Any] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    invocation: str = ""
    started: datetime | None = None
    finished: datetime | None = None


def encode_provenance(build: Build) -> dict[str, Any]:
    """Return the predicate. What is empty or not known is left out, but for the external parameters."""
    definition = {
        "internalParameters": dict(build.internal),
        "resolvedDependencies": [_encode_dependency(dependency) for dependency in build.dependencies],
    }
    metadata = {
        "invocationId": build.invocation,
        "startedOn": _timestamp(build.started),
        "finishedOn": _timestamp(build.finished),
    }
    run = {
        "builder": _without_empty({"id": build.builder, "version": dict(build.versions)}),
        "metadata": _without_empty(metadata),
    }
    required = {"buildType": build.build_type, "externalParameters": dict(build.external)}
    return {"buildDefinition": required | _without_empty(definition), "runDetails": _without_empty(run)}


def is_plain(provenance: Mapping[str, Any]) -> bool:
    """Return whether a predicate tells of a build on a plain machine: no build service has a part in it."""
    return bool(provenance["buildDefinition"]["buildType"] == PLAIN_BUILD_TYPE)


@dataclass(frozen=True, slots=True)
class SourceCommit:
    """A git commit that a provenance says was built from; `modified` where files are said to have differed from it."""

    commit: str
    modified: bool


def source_commits(statement: Statement) -> tuple[SourceCommit, ...]:
    """Return the git commits that a statement of anybody names as sources; nothing for one that is no provenance."""
    predicate: object = statement.predicate
    if statement.predicate_type == PROVENANCE_CLAIM:
        sources = _member(predicate, "buildDefinition", "resolvedDependencies")
    else:
        sources = _member(predicate, "materials") if statement.predicate_type == _OLD_PROVENANCE_CLAIM else None
    found = ((_commit_of(source), source) for source in (sources if isinstance(sources, list) else ()))
    return tuple(SourceCommit(commit, _member(s, "annotations", "modified") is True) for commit, s in found if commit)


def _commit_of(source: object) -> str:
    commit, uri = _member(source, "digest", "gitCommit"), _member(source, "uri")
    if commit is None and isinstance(uri, str) and uri.startswith("git+"):
        commit = _member(source, "digest", "sha1")  # as older provenances name a commit
    return commit if isinstance(commit, str) else ""


def describe_claim(statement: Statement) -> str:
    """Return what a statement of anybody says of the build, on one line for people; empty where it says no such thing."""
    predicate: object = statement.predicate
    if statement.predicate_type == PROVENANCE_CLAIM:
        builder = _member(predicate, "runDetails", "builder", "id")
        sources = _member(predicate, "buildDefinition", "resolvedDependencies")
    elif statement.predicate_type == _OLD_PROVENANCE_CLAIM:
        builder, sources = _member(predicate, "builder", "id"), _member(predicate, "materials")
    else:
        return ""
    claim = f"claims to be built by {display(builder)}" if isinstance(builder, str) else "claims to be built, not by whom"
    source = _describe_source(sources[0]) if isinstance(sources, list) and sources else ""
    return f"{claim} from {source}" if source else claim


def _describe_source(source: object) -> str:
    uri, commit = _member(source, "uri"), _member(source, "digest", "gitCommit") or _member(source, "digest", "sha1")
    where = [display(uri)] if isinstance(uri, str) and uri else []
    known = [f"commit {display(commit)}"] if isinstance(commit, str) and commit else []
    changed = ["changed since"] if _member(source, "annotations", "modified") is True else []
    return ", ".join([*where, *known, *changed])


def _member(value: object, *path: str) -> Any:  # noqa: ANN401 - any JSON value
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _encode_dependency(dependency: Dependency) -> dict[str, Any]:
    return _without_empty(
        {
            "name": dependency.name,
            "uri": dependency.uri,
            "digest": dict(dependency.digest),
            "annotations": dict(dependency.annotations),
        }
    )


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value}


def _timestamp(instant: datetime | None) -> str:
    """Write an instant as SLSA wants it: RFC 3339, in UTC, with a ``Z`` (in-toto field type Timestamp)."""
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
