"""Makes Sigstore bundles: a message signature over the artifact's digest, or a DSSE envelope where none can be signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.formats.bare_signatures import is_to_be_signed
from hatch_sign.formats.intoto import ARTIFACT_CLAIM, Statement, encode_statement
from hatch_sign.formats.sigstore.bundle import MessageSignature, parse_bundle
from hatch_sign.formats.sigstore.sealing import (
    bundle_schemes,
    carried_certificates,
    seal_bundle,
    sign_statement,
)
from hatch_sign.formats.sigstore.stamping import StampsBundles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import BundleSeal, Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey


class BundleProducer(StampsBundles):
    """A :class:`~hatch_sign.contract.SidecarProducer`: one bundle for one artifact."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return what bundles carry for such a key."""
        return bundle_schemes(key)

    def digests(self, scheme: Scheme) -> frozenset[str]:
        """Return the hash that is signed, and SHA-256, by which a statement names the artifact where no digest is signed."""
        return frozenset({scheme.hash or "sha256", "sha256"})

    def carries(self, seal: Seal) -> Sequence[Certificate]:
        """Return the leaf, where the configuration wants it in the bundle."""
        return carried_certificates(seal)

    def sign(self, subject: Subject, seal: Seal) -> bytes:
        """Return the bundle's bytes; raises as :func:`~hatch_sign.formats.sigstore.sealing.seal_bundle`."""
        hash_ = seal.scheme.hash
        if hash_ is None or not seal.takes_digests or is_to_be_signed(subject):
            return _sign_statement(subject, seal)
        digest = subject.digests[hash_]
        return seal_bundle(lambda: MessageSignature(hash_, digest, seal.sign_digest(digest)), digest, seal)

    def sign_by_bundle(self, subjects: Sequence[Subject], seal: BundleSeal) -> bytes:
        """Return the bundle's bytes as they come from the bundle signer: by the same rules, and with SHA-256."""
        (subject,) = subjects
        if is_to_be_signed(subject):
            return seal.sign_statement(encode_statement(_statement(subject)))
        return seal.sign_artifact(subject.digests["sha256"])

    def bundle_in(self, data: bytes) -> bytes:
        """Return the file, which is a bundle. Raises MalformedError."""
        parse_bundle(data)
        return data


def _statement(subject: Subject) -> Statement:
    return Statement({subject.name: {"sha256": subject.digests["sha256"]}}, ARTIFACT_CLAIM, {})


def _sign_statement(subject: Subject, seal: Seal) -> bytes:
    """Sign a statement instead of the artifact, whose digest is not signed.

    Of pure Ed25519 no verifier accepts a message signature: it is over the whole artifact, which a token may not take, and
    which others read as Ed25519ph. A token that only hashes itself would have to be sent the artifact, too. And some
    artifacts are made to be signed: their bare signature would be one over something else.
    """
    return sign_statement(_statement(subject), seal)
