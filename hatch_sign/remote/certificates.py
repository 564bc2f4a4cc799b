"""Telling a certificate that is not trusted, which no repetition cures, from a connection that broke."""

from __future__ import annotations

from ssl import SSLCertVerificationError

from hatch_sign.remote.failures import Failure, FailureKind

_MOST_LINKS = 50


def untrusted_certificate(error: BaseException, *, remedy: str) -> Failure | None:
    """Return the failure of a service whose TLS certificate is not trusted, if that is behind `error`; else None.

    SDKs wrap it in layers of their own: in causes, contexts, arguments and attributes. `remedy` names the setting of the
    SDK by which a private authority is trusted.
    """
    if not any(isinstance(each, SSLCertVerificationError) for each in _links(error)):
        return None
    return Failure(FailureKind.INVALID, found="showed a TLS certificate that is not trusted", remedy=remedy)


def _links(error: BaseException) -> list[BaseException]:
    seen: list[BaseException] = [error]
    for link in seen:  # grows while it is walked
        if len(seen) > _MOST_LINKS:
            break
        kwargs = getattr(link, "kwargs", None)
        inner = kwargs.values() if isinstance(kwargs, dict) else ()
        found = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args, *inner)
        seen += [each for each in found if isinstance(each, BaseException) and each not in seen]
    return seen
