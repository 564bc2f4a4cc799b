"""Telling a certificate that is not trusted, which no repetition cures, from a connection that broke."""

from __future__ import annotations

from ssl import SSLCertVerificationError

from hatch_sign.remote.causes import causes_of
from hatch_sign.remote.failures import Failure, FailureKind


def untrusted_certificate(error: BaseException, *, remedy: str) -> Failure | None:
    """Return the failure of a service whose TLS certificate is not trusted, if that is behind `error`; else None.

    SDKs wrap it in layers of their own: in causes, contexts, arguments and attributes. `remedy` names the setting of the
    SDK by which a private authority is trusted.
    """
    if not any(isinstance(each, SSLCertVerificationError) for each in causes_of(error)):
        return None
    return Failure(FailureKind.INVALID, found="showed a TLS certificate that is not trusted", remedy=remedy)
