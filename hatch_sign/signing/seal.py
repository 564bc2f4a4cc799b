"""The only way of a format to the key and the witnesses of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import Evidence, WitnessRequest
from hatch_sign.signing.witnessing import attested
from hatch_sign.values.errors import CredentialRotatedError
from hatch_sign.values.public_keys import verify_digest, verify_message

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Witness
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Release
    from hatch_sign.values.public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class RunSeal:
    """One format's seal, for one signature: the credential is fixed when it is made, and the signer checked against it."""

    signer: CheckedSigner
    public_key: PublicKey
    certificates: tuple[Certificate, ...]
    scheme: Scheme
    now: datetime
    release: Release | None
    options: Mapping[str, Any]
    provenance: Mapping[str, Any] | None
    witnesses: Sequence[Witness]

    @property
    def takes_digests(self) -> bool:
        """Whether the key signs digests by the chosen scheme."""
        return self.signer.takes_digests(self.scheme)

    def sign(self, message: bytes) -> bytes:
        """Return a checked signature over a small message."""
        signature = self.signer.sign(message, self.scheme)
        if self._has_rotated() and not verify_message(self.public_key, signature, message, self.scheme):
            raise self._rotated()
        return signature

    def sign_digest(self, digest: bytes) -> bytes:
        """Return a checked signature over a digest. Raises UnsupportedError unless `takes_digests`."""
        signature = self.signer.sign_digest(digest, self.scheme)
        if self._has_rotated() and not verify_digest(self.public_key, signature, digest, self.scheme):
            raise self._rotated()
        return signature

    def witness(self, signature: bytes, digest: bytes, envelope: bytes | None = None) -> tuple[Evidence, ...]:
        """Return the checked evidence of every witness, but of those that may fail; the key is free meanwhile."""
        request = WitnessRequest(signature, digest, self.scheme, self.public_key, self.certificates, envelope)
        answers = (attested(witness, request) for witness in self.witnesses)
        return tuple(evidence for evidence in answers if evidence is not None)

    def _has_rotated(self) -> bool:
        """Whether another thread has met a new leaf since this seal was made: the signature may be by either."""
        return self.signer.public_key != self.public_key

    def _rotated(self) -> CredentialRotatedError:
        message = f"{self.signer.reference}: the service signed with another credential than this signature names"
        return CredentialRotatedError(message)
