"""What SignServer's errors mean. Its texts are looked for, never shown: they may repeat what was sent."""

from __future__ import annotations

from hatch_sign.remote import Failure, FailureKind
from hatch_sign_services.client import Reply, StatusError
from hatch_sign_services.translate import classify_reply, classify_transport, retry_after

_TRUST = "check the host, or name its authority in SIGNSERVER_CA_BUNDLE"
_NO_HASHES = "set ALLOW_CLIENTSIDEHASHING_OVERRIDE=true and ACCEPTED_HASH_DIGEST_ALGORITHMS=SHA-256 for the worker"
_TEXTS = {
    b"Client-side hashing requested but not allowed": Failure(
        FailureKind.INVALID, "400", "lets clients of this worker send no hashes", _NO_HASHES
    ),
    b"non-accepted digest hash algorithm": Failure(
        FailureKind.INVALID,
        "400",
        "does not accept this hash for the worker",
        "add it to ACCEPTED_HASH_DIGEST_ALGORITHMS of the worker, or sign by another",
    ),
    b"Input length doesn't match": Failure(
        FailureKind.INVALID, "400", "takes a digest of another length", "check the worker's SIGNATUREALGORITHM: NONEwith..."
    ),
}
_STATUSES = {
    401: Failure(
        FailureKind.UNAUTHENTICATED,
        "401",
        "does not let this client use the worker",
        "check the client certificate or the password, and the worker's AUTHTYPE and authorized clients",
    ),
    404: Failure(
        FailureKind.MISSING, "404", "has no such worker", "check the name, or number, of the worker and the address"
    ),
}


def classify(error: Exception) -> Failure | None:
    """Return what `error`, raised while SignServer was asked, means; None for what it does not know.

    A 503 says that nothing was signed, and any other 5xx does not.
    """
    return _classify_reply(error.reply) if isinstance(error, StatusError) else classify_transport(error, trust=_TRUST)


def _classify_reply(reply: Reply) -> Failure:
    if reply.status == 400:  # noqa: PLR2004 - Bad Request, for which alone the text says what is wrong
        for text, failure in _TEXTS.items():
            if text in reply.body:
                return failure
    if reply.status == 503:  # noqa: PLR2004 - Service Unavailable: SignServer's own meaning
        found, remedy = "says that the worker's crypto token is offline", "activate the token, then run again"
        return Failure(FailureKind.UNAVAILABLE, "503", found, remedy, retry_after(reply), undone=True)
    return _STATUSES.get(reply.status) or classify_reply(reply)
