"""HashiCorp Vault and OpenBao: ``hashivault://NAME`` and ``openbao://NAME``, transit keys as cosign spells them.

The server, the login and the mount are read from the environment, where the users of either have them already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import (
        Backend,
        BackendContext,
        KeyDescription,
        SecretRequest,
        Signer,
        Symptom,
    )
    from hatch_sign.values.algorithms import KeyAlgorithm


class VaultBackend:
    """The backend of both schemes, by the extra ``vault``.

    Needs ``read`` on MOUNT/keys/NAME and ``update`` on MOUNT/sign/NAME.
    """

    name = "vault"
    uri_schemes = ("hashivault", "openbao")

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what logs in when it is entered; messages for Ed25519 have at most 1 MiB."""
        from hatch_sign_kms.vault.key import open_key  # noqa: PLC0415 (listing the backend costs nothing)

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key that cannot be exported. Raises CustodyError when the name is taken.

        Needs ``create`` on MOUNT/keys/NAME.
        """
        from hatch_sign_kms.vault.keys import generate_key  # noqa: PLC0415 (as above)

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the key that `reference` names, or with no name every signing key of the mount.

        The latter needs ``list`` on MOUNT/keys, and ``read`` on each.
        """
        from hatch_sign_kms.vault.keys import list_keys  # noqa: PLC0415 (as above)

        return list_keys(reference, context)

    def import_certificate(self, reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
        """Store the certificates of the key, leaf first, in place of older ones.

        Needs ``update`` on MOUNT/keys/NAME/set-certificate.
        """
        from hatch_sign_kms.vault.keys import import_certificate  # noqa: PLC0415 (as above)

        import_certificate(reference, chain, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the client, address, server and login; whether the key is there is seen only once logged in."""
        from hatch_sign_kms.vault.diagnosis import diagnose  # noqa: PLC0415 (as above)

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register the transit engines of Vault and OpenBao."""
    return VaultBackend()
