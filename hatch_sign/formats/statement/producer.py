"""Makes one bundle for a whole release: a DSSE envelope round an in-toto statement that names every artifact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_sign.formats.intoto import encode_statement
from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.formats.sigstore.sealing import bundle_schemes, carried_certificates, sign_statement
from hatch_sign.formats.sigstore.stamping import StampsBundles
from hatch_sign.formats.statement.claims import require_choice, state_release

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from cryptography.x509 import Certificate

    from hatch_sign.contract import BundleSeal, Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Release, Subject
    from hatch_sign.values.public_keys import PublicKey


class StatementProducer(StampsBundles):
    """An :class:`~hatch_sign.contract.AggregateProducer`: one signature for a whole release."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return what bundles carry for such a key."""
        return bundle_schemes(key)

    def choose_schemes(self, key: PublicKey, options: Mapping[str, Any]) -> Sequence[Scheme]:
        """Return the same. Raises ConfigurationError for a value of ``provenance`` that says nothing."""
        require_choice(options)
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

        Raises as :func:`~hatch_sign.formats.statement.claims.state_release` and
        :func:`~hatch_sign.formats.sigstore.sealing.seal_bundle`.
        """
        return sign_statement(state_release(subjects, seal), seal)

    def sign_by_bundle(self, subjects: Sequence[Subject], seal: BundleSeal) -> bytes:
        """Return the bundle that another makes; raises as :func:`~hatch_sign.formats.statement.claims.state_release`."""
        return seal.sign_statement(encode_statement(state_release(subjects, seal)))

    def bundle_in(self, data: bytes) -> bytes:
        """Return the file, which is a bundle. Raises MalformedError."""
        parse_bundle(data)
        return data


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
