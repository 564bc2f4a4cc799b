"""Telling a proxy that wants a login, which no repetition cures, from one that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote.causes import causes_of
from hatch_sign.remote.failures import classify_status

if TYPE_CHECKING:
    from hatch_sign.remote.failures import Failure

_REFUSED_TUNNEL = "Tunnel connection failed: 407"
"""How Python's HTTP client says it of a CONNECT: there is no answer with a status for anybody to read."""


def proxy_login_wanted(error: BaseException) -> Failure | None:
    """Return the failure of a proxy that answered 407 (RFC 9110 §15.5.8), if that is behind `error`; else None."""
    refused = any(isinstance(each, OSError) and _REFUSED_TUNNEL in str(each) for each in causes_of(error))
    return classify_status(407) if refused else None
