"""Keys of Google Cloud KMS, in software, in its HSMs, or behind an external key manager.

References are spelled as cosign spells them:
``gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K``, with ``/cryptoKeyVersions/V`` if need be; without a version,
the newest enabled one signs. Credentials are Google's application default ones: ``GOOGLE_APPLICATION_CREDENTIALS``,
``gcloud auth application-default login``, workload identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, KeyDescription, SecretRequest, Signer, Symptom
    from hatch_sign.values.algorithms import KeyAlgorithm


class GoogleBackend:
    """The backend ``gcpkms``; it imports what it needs when it is used.

    To sign, an identity needs ``cloudkms.cryptoKeyVersions.viewPublicKey`` and ``useToSign`` (the role
    ``roles/cloudkms.signerVerifier``); ``cloudkms.cryptoKeyVersions.list`` where the reference names no version, and
    ``.get`` for what is told of how a version is kept.
    """

    name = "gcpkms"
    uri_schemes = ("gcpkms",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what connects when it is entered; messages for Ed25519 may be up to 64 KiB."""
        from hatch_sign_kms.google.connection import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key in an HSM of Google's, in a key ring that exists. Raises CustodyError when the name is taken."""
        from hatch_sign_kms.google.keys import generate_key  # noqa: PLC0415 - as above

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the key that `reference` names, or, where it ends with a key ring, the signing keys of that ring."""
        from hatch_sign_kms.google.keys import list_keys  # noqa: PLC0415 - as above

        return list_keys(reference, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the client, the address and the credential and, as no secret is asked for, the key."""
        from hatch_sign_kms.google.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register Google Cloud KMS."""
    return GoogleBackend()
