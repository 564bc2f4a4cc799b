"""Makes one bundle for a whole release: a DSSE envelope round an in-toto statement that names every artifact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from hatch_sign.formats.intoto import MAX_SUBJECTS, RELEASE_CLAIM, Statement
from hatch_sign.formats.sigstore.sealing import bundle_schemes, carried_certificates, sign_statement
from hatch_sign.formats.sigstore.stamping import StampsBundles
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Release, Subject
    from hatch_sign.values.public_keys import PublicKey


class StatementProducer(StampsBundles):
    """An :class:`~hatch_sign.contract.AggregateProducer`: one signature for a whole release."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return what bundles carry for such a key."""
        return bundle_schemes(key)

    def digests(self, scheme: Scheme) -> frozenset[str]:  # noqa: ARG002 - whatever the scheme, the port has it
        """Return SHA-256 alone, by which other verifiers look artifacts up."""
        return frozenset({"sha256"})

    def carries(self, seal: Seal) -> Sequence[Certificate]:
        """Return the leaf, where the configuration wants it in the bundle."""
        return carried_certificates(seal)

    def filename(self, release: Release) -> str:
        """Return ``NAME-VERSION.intoto.sigstore.json``, both parts spelled as in the names of wheels."""
        return f"{_escape_name(release.name)}-{_escape_version(release.version)}.intoto.sigstore.json"

    def sign(self, subjects: Sequence[Subject], seal: Seal) -> bytes:
        """Return the bundle's bytes.

        Raises UnsupportedError for no subject, two of one name, or more than 1,024, for artifacts that are of no one
        release, and as :func:`~hatch_sign.formats.sigstore.sealing.seal_bundle`.
        """
        digests = {subject.name: {"sha256": subject.digests["sha256"]} for subject in subjects}
        _require_bounds(len(subjects), len(digests))
        return sign_statement(Statement(digests, RELEASE_CLAIM, _predicate(seal)), seal)


def _predicate(seal: Seal) -> Mapping[str, str]:
    if seal.release is None:
        message = "the artifacts do not agree on one release"
        raise UnsupportedError(message, remedy="sign one release at a time, or leave the format statement out")
    return {"purl": package_url(seal.release)}


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


def _escape_name(name: str) -> str:
    """Normalise as in the names of wheels (binary distribution format, "Escaping and Unicode")."""
    return _portable(re.sub(r"[-_.]+", "_", name).lower())


def _escape_version(version: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - only where a release is signed

    try:
        return str(Version(version)).replace("-", "_")
    except InvalidVersion:
        return _portable(version)


def _portable(text: str) -> str:
    """Replace what may not be in a file name, or would make it a path."""
    return re.sub(r"[^A-Za-z0-9._+!]", "_", text).lstrip(".") or "_"
