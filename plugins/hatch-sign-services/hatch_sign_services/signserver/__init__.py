"""Keyfactor SignServer: ``signserver+https://HOST[:PORT]/signserver/workers/NAME?certificate=FILE``.

NAME is a worker, by its name or number; FILE is the PEM of its certificate and the issuers, for the REST interface tells
the certificate by a signature only, and that would spend one of a key whose usage is limited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend, BackendContext, SecretRequest, Signer, Symptom


class SignServerBackend:
    """The backend ``signserver+https``; it imports what it needs when it is used."""

    name = "signserver"
    uri_schemes = ("signserver+https",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what reads the certificate and the credentials when it is entered; SignServer is asked to sign only."""
        from hatch_sign_services.signserver.key import open_key  # noqa: PLC0415 - listing the backend costs nothing

        return open_key(reference, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the files of the worker's certificate and of the client's; the server is not asked."""
        from hatch_sign_services.signserver.diagnosis import diagnose  # noqa: PLC0415 - as above

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register SignServer."""
    return SignServerBackend()
