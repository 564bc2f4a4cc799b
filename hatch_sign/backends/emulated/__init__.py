"""The emulated token: a key behind a PIN in a file of this machine, for development, tests and demonstrations.

It behaves as a hardware token does (PINs, tries, an SO PIN, keys that are never exported), and protects as a file does.
References are ``emulated:TOKEN`` (its only key) or ``emulated:TOKEN/KEY``, with ``?pin-source=...`` if need be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import Backend, BackendContext, KeyDescription, SecretRequest, Signer, Symptom
    from hatch_sign.values.algorithms import KeyAlgorithm


class EmulatedBackend:
    """The backend ``emulated``; it imports what it needs when it is used."""

    name = "emulated"
    uri_schemes = ("emulated",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what logs in to the token when it is entered; messages for Ed25519 may be up to 1 MiB."""
        from hatch_sign.backends.emulated.signer import open_key  # noqa: PLC0415 (listing the backend costs nothing)

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key under the label that `reference` names. Raises CustodyError when the label is taken."""
        from hatch_sign.backends.emulated.keys import generate_key  # noqa: PLC0415 (as above)

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the keys that `reference` selects, by label; public keys need no PIN, as on hardware."""
        from hatch_sign.backends.emulated.keys import list_keys  # noqa: PLC0415 (as above)

        return list_keys(reference, context)

    def import_certificate(self, reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
        """Store the certificates of the key that `reference` names, leaf first, in place of older ones."""
        from hatch_sign.backends.emulated.keys import import_certificate  # noqa: PLC0415 (as above)

        import_certificate(reference, chain, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Yield what there is to say of the token, the key and the PIN's tries, none of which needs a login."""
        from hatch_sign.backends.emulated.diagnosis import diagnose  # noqa: PLC0415 (as above)

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register the emulated token."""
    return EmulatedBackend()
