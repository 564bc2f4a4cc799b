"""Azure Artifact Signing, called Trusted Signing before: ``artifact-signing://REGION/ACCOUNT/PROFILE``.

REGION is the first label of the account's address, such as ``weu`` of ``weu.codesigning.azure.net``. Certificates live for
three days, so that nothing is signed without a timestamp. The login is that of Azure's own tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, Signer, Symptom


class ArtifactSigningBackend:
    """The backend ``artifact-signing``; it imports what it needs when it is used."""

    name = "artifact-signing"
    uri_schemes = ("artifact-signing",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what logs in at Azure and fetches the chain when it is entered."""
        from hatch_sign_services.artifact_signing.connecting import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom]:
        """Look whether Azure lets this identity in, and what the profile has for a certificate."""
        from hatch_sign_services.artifact_signing.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register Artifact Signing."""
    return ArtifactSigningBackend()
