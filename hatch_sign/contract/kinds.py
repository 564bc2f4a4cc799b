"""What a format's callables return, as the types that its kind promises: one place for what only the kind can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hatch_sign.values.artifacts import Subject
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from hatch_sign.contract.formats import (
        AggregateProducer,
        DetachedVerifier,
        EmbeddedVerifier,
        Format,
        ManifestProducer,
        ManifestVerifier,
        Producer,
    )


def detached_verifier(format_: Format) -> DetachedVerifier[Any]:
    """Return the verifier of a sidecar or aggregate format."""
    return cast("DetachedVerifier[Any]", format_.verifier())


def embedded_verifier(format_: Format) -> EmbeddedVerifier:
    """Return the verifier of an embedded format."""
    return cast("EmbeddedVerifier", format_.verifier())


def manifest_verifier(format_: Format) -> ManifestVerifier[Any]:
    """Return the verifier of a manifest."""
    return cast("ManifestVerifier[Any]", format_.verifier())


def signing_producer(format_: Format) -> Producer:
    """Return the producer of a format that signs: any but a manifest."""
    return cast("Producer", format_.producer())


def aggregate_producer(format_: Format) -> AggregateProducer:
    """Return the producer of an aggregate format."""
    return cast("AggregateProducer", format_.producer())


def manifest_producer(format_: Format) -> ManifestProducer:
    """Return the producer of a manifest."""
    return cast("ManifestProducer", format_.producer())


def speaks_of(format_: Format, parsed: Any, artifact: str) -> bool:  # noqa: ANN401 - what the format's verifier parsed
    """Return whether a parsed statement or list speaks of an artifact of this name."""
    if format_.kind != "manifest":
        named = detached_verifier(format_).names(parsed)
        return named is None or artifact in named
    verifier = manifest_verifier(format_)
    # A list finds the digests of a name wrong only where it has the name.
    nothing = Subject(artifact, 0, dict.fromkeys(verifier.digests(parsed), b""))
    found = verifier.check(parsed, [nothing]).get(artifact)
    return found is not None and found.problem is not Verdict.UNSIGNED
