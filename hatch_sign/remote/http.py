"""One question to a web server: what the core itself asks of a network, by HTTP, with nothing but the standard library.

Timestamp authorities are asked so, servers of revocation lists, and places that releases are published to. An answer is a
:class:`~hatch_sign.remote.http_messages.Reply` with a body of bounded length, or the
:class:`~hatch_sign.remote.failures.Failure` that kept it from coming: nothing is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hatch_sign.remote.failures import FailureKind
from hatch_sign.remote.http_messages import Reply
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Attempts, Timing
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign.remote.failures import Failure
    from hatch_sign.remote.http_messages import Question


def ask(
    question: Question,
    *,
    limits: NetworkLimits | None = None,
    timing: Timing | None = None,
    stopped: Callable[[], bool] | None = None,
    patient: bool = True,
    repeatable: bool = True,
    judge: Callable[[Reply], Failure | None] | None = None,
) -> Reply | Failure:
    """Return the answer, asked for again while that fails in a way that passes, within `limits`.

    At most three redirects are followed, never from https to http, never from elsewhere to an address of this machine or
    of a private network, and with a body only those that keep it (307 and 308, RFC 9110 §15.4). Proxies are those of the
    environment; TLS is verified with the system's roots, or those of ``SSL_CERT_FILE``. Cookies, passwords of netrc and
    compression are not known. `limits.total` ends an answer that only drips, too; the system's own limit on the look-up of
    a name comes on top. `stopped` says whether the run is being given up: nothing is waited for then. One that is not
    `patient` gets the failure at once where the server asks for fewer calls or names a pause (RFC 9110 §10.2.3): for who
    has other threads to hold back, too. One that is not `repeatable`, such as making something, is asked again only where
    the server did nothing: it asked for fewer calls.

    Only an answer with status 200 is one, and of others the body is not read; unless `judge` says what a reply means, of
    whatever status: a failure, or None where it is an answer. A body that cannot be had is empty then.
    """
    from hatch_sign.remote.http_streams import Deadline  # noqa: PLC0415 - 40 ms, where a network is asked only
    from hatch_sign.remote.http_transport import exchange  # noqa: PLC0415 - as above

    limits, timing = limits or NetworkLimits(), timing or Timing()
    attempts = Attempts(limits, timing, stopped)
    deadline = Deadline(timing.clock() + limits.total, timing.clock, stopped)
    while True:
        answer = exchange(question, limits, deadline, judge)
        if isinstance(answer, Reply) or not answer.kind.passes or (wants_patience(answer) and not patient):
            return answer
        if not (repeatable or answer.undone or answer.kind is FailureKind.THROTTLED):
            return answer
        reason = attempts.pause(answer)
        if reason is not None:
            return answer.after(attempts.made, reason)


def wants_patience(failure: Failure) -> bool:
    """Return whether the server is there and asks for fewer calls, or for a pause."""
    return failure.kind is FailureKind.THROTTLED or (failure.kind.passes and failure.retry_after is not None)


def shown_address(address: str) -> str:
    """Return an address as messages show it: without a password and without its query, which may hold a secret."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for a password with a slash in it, written as it is: it begins where a port would
    except ValueError:
        return display(_without_login(address))
    if not parts.netloc:
        return display(_without_login(address))
    return display(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def _without_login(text: str) -> str:
    """Return what may be shown of a text that is no address, and may hold a login all the same, whose end is an ``@``."""
    before = text.partition("?")[0].partition("#")[0]
    cut_short = "@" in text and "@" not in before
    return f"{text.partition('//')[0]}//…" if cut_short else before.rpartition("@")[2]
