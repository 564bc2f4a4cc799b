"""Checks a statement over a release: a bundle of the format ``sigstore`` that must hold a statement."""

from __future__ import annotations

from hatch_sign.formats.intoto import APPROVING_CLAIMS, ARTIFACT_CLAIM
from hatch_sign.formats.sigstore.verifier import BundleVerifier, SignedBundle
from hatch_sign.values.errors import MalformedError


class StatementVerifier(BundleVerifier):
    """A :class:`~hatch_sign.contract.DetachedVerifier` of bundles with a statement."""

    claims = APPROVING_CLAIMS - {ARTIFACT_CLAIM}

    def parse(self, data: bytes) -> SignedBundle:
        """Read hostile bytes. Raises MalformedError, also for a bundle without a statement, and nothing else."""
        parsed = super().parse(data)
        if parsed.statement is None:
            message = "the bundle holds a message signature, expected a statement over the release"
            raise MalformedError(message)
        return parsed
