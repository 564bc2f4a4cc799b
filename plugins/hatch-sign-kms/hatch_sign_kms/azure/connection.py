"""The connection to a vault: its clients, and the credential of Azure's own tools."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.remote import NetworkLimits, ServiceCaller, missing_extra
from hatch_sign_kms.azure.translate import classify
from hatch_sign_kms.logs import keep_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport
    from azure.keyvault.certificates import CertificateClient
    from azure.keyvault.keys import KeyClient, KeyVaultKey
    from azure.keyvault.keys.crypto import CryptographyClient
    from requests import Response

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.azure.references import AzureReference

NORMAL = NetworkLimits()
_LARGEST_ANSWER = 2**20
"""Bytes; a page of a list has some thousands, everything else less."""


@dataclass(frozen=True, slots=True)
class Vault:
    """The clients of one vault, over one pool of connections and one login."""

    url: str
    keys: KeyClient
    credential: TokenCredential
    transport: RequestsTransport

    def cryptography(self, key: KeyVaultKey) -> CryptographyClient:
        """Return what signs with `key`, which is not asked for again."""
        from azure.keyvault.keys.crypto import CryptographyClient  # noqa: PLC0415 - an extra

        return CryptographyClient(key, self.credential, transport=self.transport, **_OPTIONS)

    def certificates(self) -> CertificateClient:
        """Return what reads the certificates of the vault."""
        from azure.keyvault.certificates import CertificateClient  # noqa: PLC0415 - an extra, for few keys

        return CertificateClient(self.url, self.credential, transport=self.transport, **_OPTIONS)


# Repeating is left to the one policy of hatch_sign.remote; a vault redirects nobody, and a login follows no redirection.
_OPTIONS = {"retry_total": 0, "permit_redirects": False}


def make_caller(reference: AzureReference, context: BackendContext, *, limits: NetworkLimits = NORMAL) -> ServiceCaller:
    """Return what asks the service about one reference."""
    return ServiceCaller(reference.service, reference.text, classify, limits, stopped=lambda: context.stopped)


@contextmanager
def connect(reference: AzureReference, caller: ServiceCaller, *, connections: int) -> Iterator[Vault]:
    """Lend the clients of a vault; nobody logs in before the first call. Raises PluginError where the SDK is missing."""
    try:
        from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - an extra
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - as above
        from azure.keyvault.keys import KeyClient  # noqa: PLC0415 - as above
    except ImportError:
        raise missing_extra(scheme="azurekms:", package="azure.keyvault.keys", requirement="hatch-sign-kms[azure]") from None
    keep_quiet("azure", "msal")
    with ExitStack() as opened:
        session = _make_session(connections)
        timeouts = {"connection_timeout": caller.limits.connect, "read_timeout": caller.limits.read}
        transport = opened.enter_context(RequestsTransport(session=session, use_env_settings=True, **timeouts))
        credential = opened.enter_context(DefaultAzureCredential(retry_total=0, **timeouts))
        keys = KeyClient(reference.url, credential, transport=transport, **_OPTIONS)
        yield Vault(reference.url, keys, credential, transport)


def _refuse_large(response: Response, **_options: object) -> None:
    """Raise DecodeError, before the body is read, for one that announces more than fits, or that has to be unpacked."""
    from azure.core.exceptions import DecodeError  # noqa: PLC0415 - an extra

    length = response.headers.get("Content-Length", "0")
    large = not length.isdecimal() or int(length) > _LARGEST_ANSWER
    if large or response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        raise DecodeError(message="")


def _make_session(connections: int) -> object:
    """Return a session that keeps as many connections as are used at once: its default is ten, the rest are thrown away."""
    import requests  # noqa: PLC0415 - comes with the SDK
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as above

    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    session.hooks["response"].append(_refuse_large)
    session.mount("https://", HTTPAdapter(pool_maxsize=connections, max_retries=0))
    return session
