"""Makes attestations: statements signed by an identity, in the shape that indexes take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.formats.certificates import parse_certificate
from hatch_sign.formats.intoto import Statement, encode_statement
from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, UnsupportedError
from hatch_sign_sigstore.claims import read_claims
from hatch_sign_sigstore.pep740.attestation import (
    DISTRIBUTIONS,
    PROVENANCE,
    PUBLISH,
    encode_attestation,
    parse_attestation,
)
from hatch_sign_sigstore.pypi import mismatch_with_publisher, parse_publisher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

    from cryptography.x509 import Certificate

    from hatch_sign.contract import BundleSeal, Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey

_NO_KEYS = "PyPI takes no keys: an attestation (PEP 740) wants a Fulcio identity"
_OF_ITS_OWN = 'give pep740 a [[tool.hatch-sign.signature]] of its own, with `include = ["*.whl", "*.tar.gz"]`'
_REMEDY = 'set `key = "sigstore:"` for this format, or leave it out'


class AttestationProducer:
    """A producer of sidecars that :class:`~hatch_sign.contract.SignsByBundle`, and can sign in no other way."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:  # noqa: ARG002 - whatever the key, the port has it
        """Return none."""
        return ()

    def choose_schemes(self, key: PublicKey, options: Mapping[str, Any]) -> NoReturn:  # noqa: ARG002 - as above
        """Raise UnsupportedError: no key will do."""
        raise UnsupportedError(_NO_KEYS, remedy=_REMEDY)

    def digests(self, scheme: Scheme) -> frozenset[str]:  # noqa: ARG002 - as above
        """Return SHA-256 alone, by which statements name artifacts."""
        return frozenset({"sha256"})

    def carries(self, seal: Seal) -> Sequence[Certificate]:  # noqa: ARG002 - as above
        """Return none: the one certificate is the identity's."""
        return ()

    def sign(self, subject: Subject, seal: Seal) -> NoReturn:  # noqa: ARG002 - as above
        """Raise UnsupportedError: no key will do."""
        raise UnsupportedError(_NO_KEYS, remedy=_REMEDY)

    def require_artifact(self, name: str) -> None:
        """Raise UnsupportedError for what is neither a wheel nor an sdist, such as a list of checksums."""
        if not name.endswith(DISTRIBUTIONS):
            message = f"{display(name)} is neither a wheel nor an sdist, and PyPI takes attestations of these alone"
            raise UnsupportedError(message, remedy=_OF_ITS_OWN)

    def sign_by_bundle(self, subjects: Sequence[Subject], seal: BundleSeal) -> bytes:
        """Return the attestation of one wheel or sdist.

        It is entered in a log of version 1, whose entries have a signed time: those of version 2 need a timestamp beside
        them, for which attestations have no place. Raises UnsupportedError for another artifact, for a provenance where the
        run claims none, and for an identity that PyPI would refuse; ConfigurationError for a setting that says nothing.
        """
        (subject,) = subjects
        self.require_artifact(subject.name)
        chosen = seal.options.get("trusted-publisher")
        publisher = parse_publisher(chosen) if chosen is not None else None
        statement = encode_statement(_statement(subject, seal))
        bundle = parse_bundle(seal.sign_statement(statement, log="v1"))
        attestation = encode_attestation(bundle)
        certificate = parse_certificate(bundle.certificates[0], subject="the certificate of the identity")
        problem = mismatch_with_publisher(read_claims(certificate), publisher)
        if problem and (publisher is not None or not seal.options.get("allow-reusable-workflow", False)):
            message = f"PyPI would refuse the attestation of {display(subject.name)}: {problem}"
            raise UnsupportedError(message, remedy=_remedy(by_publisher=publisher is not None))
        return attestation

    def bundle_in(self, data: bytes) -> bytes:
        """Return the bundle that the attestation stands for. Raises MalformedError."""
        return parse_attestation(data)


def _statement(subject: Subject, seal: BundleSeal) -> Statement:
    subjects = {subject.name: {"sha256": subject.digests["sha256"]}}
    kind = seal.options.get("pep740-predicate", "publish")
    if kind == "publish":
        return Statement(subjects, PUBLISH, {})
    if kind != "provenance":
        message = f"`pep740-predicate` is '{display(kind)}', expected `publish` or `provenance`"
        raise ConfigurationError(message)
    if seal.provenance is None:
        message = "`pep740-predicate` is `provenance`, and this run claims none"
        raise UnsupportedError(message, remedy="sign where the build runs, or leave the setting out")
    return Statement(subjects, PROVENANCE, seal.provenance)


def _remedy(*, by_publisher: bool) -> str:
    if by_publisher:
        return "sign in the workflow that is the Trusted Publisher, or correct `trusted-publisher`"
    return (
        "sign in the workflow that was started, or set `trusted-publisher` to it,"
        " or `allow-reusable-workflow` for an index that does not mind"
    )
