"""Keys of Azure Key Vault and of Azure Managed HSM.

References are spelled as cosign spells them: ``azurekms://VAULT.vault.azure.net/KEY``, with ``/VERSION`` if need be;
without a version, the newest one signs. A host below ``managedhsm.azure.net`` is a Managed HSM. Credentials are those of
azure-identity's default chain: environment variables, workload identity, managed identity, ``az login``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, KeyDescription, SecretRequest, Signer, Symptom
    from hatch_sign.values.algorithms import KeyAlgorithm


class AzureBackend:
    """The backend ``azurekms``; it imports what it needs when it is used.

    To sign, an identity needs the permissions ``keys/get`` and ``keys/sign`` (the role Key Vault Crypto User, or Managed
    HSM Crypto User), and ``certificates/get`` where Key Vault manages a certificate for the key.
    """

    name = "azurekms"
    uri_schemes = ("azurekms",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what connects when it is entered; the service has no Ed25519."""
        from hatch_sign_kms.azure.opening import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key in an HSM of Azure's. Raises CustodyError when the name is taken."""
        from hatch_sign_kms.azure.keys import generate_key  # noqa: PLC0415 - as above

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the key that `reference` names, or, where it names a vault alone, the signing keys of that vault."""
        from hatch_sign_kms.azure.keys import list_keys  # noqa: PLC0415 - as above

        return list_keys(reference, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the client, the address and the credential and, as no secret is asked for, the key."""
        from hatch_sign_kms.azure.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register Azure Key Vault and Azure Managed HSM."""
    return AzureBackend()
