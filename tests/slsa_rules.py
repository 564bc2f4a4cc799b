"""What SLSA demands of a Provenance v1, written from its specification: the judge of the predicates that tests see.

https://slsa.dev/spec/v1.0/provenance, and the field types of the in-toto attestation framework v1 that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!-~]+")  # RFC 3986: a scheme, and nothing that must be escaped
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{40,128}")


class NotProvenanceError(AssertionError):
    """A predicate is not what the specification says."""


def require_provenance(predicate: object) -> None:
    """Raise NotProvenanceError for a predicate that breaks a rule, naming the member."""
    table = _object(predicate, "predicate", {"buildDefinition", "runDetails"})
    _definition(table["buildDefinition"])
    run = _object(table["runDetails"], "runDetails", {"builder"}, {"metadata", "byproducts"})
    builder = _object(run["builder"], "builder", {"id"}, {"version", "builderDependencies"})
    _matches(builder["id"], _URI, "builder.id")
    _strings(builder.get("version", {}), "builder.version")
    metadata = _strings(run.get("metadata", {}), "metadata")
    _object(metadata, "metadata", set(), {"invocationId", "startedOn", "finishedOn"})
    for name in {"startedOn", "finishedOn"} & metadata.keys():
        _matches(metadata[name], _TIMESTAMP, name)


def _definition(value: object) -> None:
    required, optional = {"buildType", "externalParameters"}, {"internalParameters", "resolvedDependencies"}
    definition = _object(value, "buildDefinition", required, optional)
    _matches(definition["buildType"], _URI, "buildType")
    for name in ("externalParameters", "internalParameters"):
        _require(isinstance(definition.get(name, {}), dict), name)
    dependencies = definition.get("resolvedDependencies", [])
    _require(isinstance(dependencies, list), "resolvedDependencies")
    for item in dependencies:
        _dependency(item)


def _dependency(value: object) -> None:
    members = {"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"}
    dependency = _object(value, "a dependency", set(), members)
    _require(bool({"uri", "digest", "content"} & dependency.keys()), "a dependency")
    if "uri" in dependency:
        _matches(dependency["uri"], _URI, "a dependency's uri")
    for digest in _strings(dependency.get("digest", {}), "a dependency's digest").values():
        _matches(digest, _DIGEST, "a dependency's digest")


def _object(value: object, name: str, required: set[str], optional: Iterable[str] = ()) -> Mapping[str, Any]:
    table: Mapping[str, Any] = value if isinstance(value, dict) else {}
    _require(table is value and required <= table.keys() <= {*required, *optional}, name)
    return table


def _strings(value: object, name: str) -> Mapping[str, str]:
    table: Mapping[str, str] = value if isinstance(value, dict) else {}
    _require(table is value and all(isinstance(each, str) for each in table.values()), name)
    return table


def _matches(value: object, form: re.Pattern[str], name: str) -> None:
    _require(isinstance(value, str) and form.fullmatch(value) is not None, name)


def _require(holds: bool, name: str) -> None:  # noqa: FBT001 - an assertion that knows what it is about
    if not holds:
        raise NotProvenanceError(name)
