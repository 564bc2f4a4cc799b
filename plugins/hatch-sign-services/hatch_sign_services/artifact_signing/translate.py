"""What the errors of Artifact Signing mean. Its texts are looked for, never shown."""

from __future__ import annotations

import sys

from hatch_sign.remote import Failure, FailureKind
from hatch_sign_services.artifact_signing.tokens import classify_login
from hatch_sign_services.client import Reply, StatusError
from hatch_sign_services.translate import classify_reply, classify_transport

PERMISSION = "Microsoft.CodeSigning/certificateProfiles/Sign/action"
"""What the identity needs on the profile. A role has it whose older name begins with Trusted Signing."""

_TRUST = "where a proxy or a private authority is in between, name it in SSL_CERT_FILE"
_REFUSED = Failure(
    FailureKind.REFUSED,
    "403",
    remedy="assign the role `Artifact Signing Certificate Profile Signer` on the profile to the identity that signs",
)

_MISSING = Failure(
    FailureKind.MISSING,
    "404",
    "has no such account or certificate profile in this region",
    "check the region, the account and the profile in the portal",
)
_EXPIRED = Failure(FailureKind.UNAUTHENTICATED, "401", remedy="log in at Azure again, and for the right tenant")


def classify(error: Exception) -> Failure | None:
    """Return what `error`, raised while the service was asked, means; None for what it does not know."""
    if isinstance(error, StatusError):
        return _classify_reply(error.reply)
    return classify_transport(error, trust=_TRUST) or (classify_login(error) if "azure.identity" in sys.modules else None)


def _classify_reply(reply: Reply) -> Failure:
    # A missing role comes as 404, or 500, around the status of a service behind this one.
    if b"403 (Forbidden)" in reply.body:
        return _REFUSED
    return {401: _EXPIRED, 403: _REFUSED, 404: _MISSING}.get(reply.status) or classify_reply(reply)
