"""What the statement over a release says: how its artifacts were built, or no more than that they are released."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hatch_sign.formats.intoto import MAX_SUBJECTS, RELEASE_CLAIM, Statement
from hatch_sign.formats.slsa import PROVENANCE_CLAIM, is_plain
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hatch_sign.contract import BundleSeal, Seal
    from hatch_sign.values.artifacts import Release, Subject

PROVENANCE_CHOICES = ("auto", "always", "never")
"""Values of the option ``provenance``: said of a build service's builds, of a plain machine's too, of none."""


def state_release(subjects: Sequence[Subject], seal: Seal | BundleSeal) -> Statement:
    """Return the statement over `subjects`, by their SHA-256 digests.

    Raises UnsupportedError for no subject, two of one name, or more than 1,024, and for artifacts that are of no one
    release; ConfigurationError as :func:`require_choice`.
    """
    digests = {subject.name: {"sha256": subject.digests["sha256"]} for subject in subjects}
    _require_bounds(len(subjects), len(digests))
    if seal.release is None:
        message = "the artifacts do not agree on one release"
        raise UnsupportedError(message, remedy="sign one release at a time, or leave the format statement out")
    provenance = chosen_provenance(seal.options, seal.provenance)
    if provenance is None:
        return Statement(digests, RELEASE_CLAIM, {"purl": package_url(seal.release)})
    return Statement(digests, PROVENANCE_CLAIM, provenance)


def chosen_provenance(options: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the predicate that a statement is to carry, under a format's `options`; None for a plain release claim.

    Raises ConfigurationError as :func:`require_choice`.
    """
    choice = require_choice(options)
    if provenance is None or choice == "never" or (choice == "auto" and is_plain(provenance)):
        return None
    return provenance


def require_choice(options: Mapping[str, Any]) -> str:
    """Return the option ``provenance``. Raises ConfigurationError for none of :data:`PROVENANCE_CHOICES`."""
    choice = options.get("provenance", PROVENANCE_CHOICES[0])
    if choice not in PROVENANCE_CHOICES:
        message = f"`provenance` is '{display(choice)}', expected one of {', '.join(PROVENANCE_CHOICES)}"
        raise ConfigurationError(message)
    return str(choice)


def package_url(release: Release) -> str:
    """Return the purl of a release: ``pkg:pypi/NAME@VERSION``, the name normalised (PEP 503), the version quoted."""
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', release.name).lower()}@{quote(release.version, safe='')}"


def _require_bounds(count: int, names: int) -> None:
    if not 0 < count <= MAX_SUBJECTS:
        message = f"a statement is over 1 to {MAX_SUBJECTS} artifacts, not {count}"
        raise UnsupportedError(message, remedy="use the format checksums instead: it signs one SHA256SUMS of any length")
    if names != count:
        message = "a statement cannot name two artifacts alike"
        raise UnsupportedError(message, remedy="sign them apart")
