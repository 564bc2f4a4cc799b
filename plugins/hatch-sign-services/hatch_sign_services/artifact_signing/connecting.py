"""Log in at Azure, and reach the service of a region."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.remote import NetworkLimits, ServiceCaller, open_remote_key, pool_size
from hatch_sign_services.artifact_signing.key import ArtifactSigningKey
from hatch_sign_services.artifact_signing.references import parse_artifact_signing_reference
from hatch_sign_services.artifact_signing.tokens import Tokens, default_credential
from hatch_sign_services.artifact_signing.translate import classify
from hatch_sign_services.client import HttpsClient
from hatch_sign_services.tls import trusting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign_services.artifact_signing.references import ArtifactSigningReference

SERVICE = "Azure Artifact Signing"


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what logs in and fetches the chain when it is entered. Raises ConfigurationError."""
    parsed = parse_artifact_signing_reference(reference)
    return open_remote_key(lambda: connected(parsed, context), subject=parsed.text, context=context)


@contextmanager
def connected(
    reference: ArtifactSigningReference, context: BackendContext, limits: NetworkLimits | None = None
) -> Iterator[ArtifactSigningKey]:
    """Lend the key of a profile; Azure is asked for a token with the first call. Raises ConfigurationError, PluginError."""
    limits = limits or NetworkLimits()
    origin, tls = reference.origin(context.environ), trusting(None)
    with default_credential(limits) as credential:
        client = HttpsClient(origin, tls, context.environ, connections=pool_size(context), limits=limits)
        try:
            caller = ServiceCaller(SERVICE, reference.text, classify, limits, stopped=lambda: context.stopped)
            yield ArtifactSigningKey(reference, client, caller, Tokens(credential))
        finally:
            client.close()
