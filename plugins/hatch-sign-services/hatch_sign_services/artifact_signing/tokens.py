"""The access token of Azure, as azure-identity finds it: environment, workload identity, managed identity, `az login`."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from time import time
from typing import TYPE_CHECKING, Protocol

from hatch_sign.remote import Failure, FailureKind, NetworkLimits, missing_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCOPE = "https://codesigning.azure.net/.default"

_REMEDY = "log in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or a federated token"
_DIRECTORY_ERROR = "AADSTS"
"""How every refusal of Microsoft Entra ID begins."""

_MARGIN = 300
"""Seconds before its end from which a token is not used any more."""


class AccessToken(Protocol):
    """What azure-identity gives."""

    @property
    def token(self) -> str:
        """The token itself."""
        ...

    @property
    def expires_on(self) -> int:
        """When it ends, in seconds since 1970."""
        ...


class Credential(Protocol):
    """The part of azure-identity's credentials that is used here."""

    def get_token(self, *scopes: str) -> AccessToken:
        """Return a token for `scopes`."""
        ...


class Tokens:
    """One token for all threads, fetched when it is needed and again before it ends."""

    def __init__(self, credential: Credential, clock: Callable[[], float] = time) -> None:
        """Ask `credential`; nothing is asked yet."""
        self._credential = credential
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None

    def bearer(self) -> str:
        """Return the Authorization header. Raises what azure-identity raises."""
        with self._lock:
            if self._token is None or self._token.expires_on - _MARGIN <= self._clock():
                self._token = self._credential.get_token(SCOPE)
            return f"Bearer {self._token.token}"


@contextmanager
def default_credential(limits: NetworkLimits) -> Iterator[Credential]:
    """Lend the credential that Azure's own tools use, without repetitions of its own.

    Raises PluginError where azure-identity is not installed.
    """
    try:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - an extra, and slow
    except ImportError:
        error = missing_extra(scheme="artifact-signing:", package="azure.identity", requirement="hatch-sign-services[azure]")
        raise error from None
    # Else what it logs of a failure would be printed, in many lines, beside our one.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    timeouts = {"connection_timeout": limits.connect, "read_timeout": limits.read}
    with DefaultAzureCredential(retry_total=0, **timeouts) as credential:
        yield credential


def classify_login(error: Exception) -> Failure | None:
    """Return what an exception of azure-identity means; None for another. Its texts are not shown: they tell of tokens."""
    from azure.core import exceptions as azure  # noqa: PLC0415 - it is loaded by what raised
    from azure.identity import CredentialUnavailableError  # noqa: PLC0415 - as above

    if isinstance(error, CredentialUnavailableError):
        return Failure(FailureKind.NO_CREDENTIAL, remedy=_REMEDY)
    if isinstance(error, azure.ClientAuthenticationError):
        # A chain of credentials tells in its text only whether one was refused, or none was there.
        refused = _DIRECTORY_ERROR in str(error.message)
        return Failure(FailureKind.UNAUTHENTICATED if refused else FailureKind.NO_CREDENTIAL, remedy=_REMEDY)
    if isinstance(error, azure.ServiceRequestError | azure.ServiceResponseError):
        found = "could not be logged in to: Azure's login did not answer"
        return Failure(FailureKind.UNAVAILABLE, found=found, undone=True)
    return None
