"""Keys behind ``sigstore-kms-NAME`` executables, as cosign uses them: ``NAME://KEY``.

An executable is run only where ``HATCH_SIGN_ALLOW_KMS`` names it. It has credentials of its own, gets none from
us, and says nothing of how its key is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.executables import EXECUTABLES
from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, KeyDescription, Signer, Symptom
    from hatch_sign.values.algorithms import KeyAlgorithm


class ExecutableBackend:
    """The backend of every executable; the registry hands it the schemes that the environment allows."""

    name = EXECUTABLES
    uri_schemes = (EXECUTABLES,)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what asks the executable for the public key when it is entered; messages may be up to 1 MiB."""
        from hatch_sign_kms.executables.key import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Have the executable make a key. Raises CustodyError where there is one, or it makes none of this kind."""
        from hatch_sign_kms.executables.making import generate_key  # noqa: PLC0415 - as above

        return generate_key(reference, algorithm, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom]:
        """Look whether the executable is allowed, where it is, and whether it shows the key."""
        from hatch_sign_kms.executables.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register the executables."""
    return ExecutableBackend()
