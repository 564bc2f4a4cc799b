"""Keys behind PKCS#11 modules: HSMs, smart cards, TPMs, and the tokens of other machines.

References are those of RFC 7512, such as
``pkcs11:token=release;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so``.
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


class Pkcs11Backend:
    """The backend ``pkcs11``; it imports what it needs, and loads a module, when it is used."""

    name = "pkcs11"
    uri_schemes = ("pkcs11",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what logs in to the token when it is entered."""
        from hatch_sign_pkcs11.signer import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key inside the token: sensitive, never extractable, for signing only."""
        from hatch_sign_pkcs11.making import generate_key  # noqa: PLC0415 - as above

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the signing keys that `reference` selects, by label and id; private keys are seen after a login only."""
        from hatch_sign_pkcs11.listing import list_keys  # noqa: PLC0415 - as above

        return list_keys(reference, context)

    def import_certificate(self, reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
        """Store the certificates on the token, the key's own under the key's id and label."""
        from hatch_sign_pkcs11.storing import import_certificate  # noqa: PLC0415 - as above

        import_certificate(reference, chain, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the module, the token, its PIN and what it shows without a login."""
        from hatch_sign_pkcs11.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register PKCS#11."""
    return Pkcs11Backend()
