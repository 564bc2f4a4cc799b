"""What can go wrong with a service of the loopback Sigstore while it runs, and how often each was asked."""

from __future__ import annotations

import contextlib
import enum
import json
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIMIT = 60.0  # Seconds.
_NOBODY = "http://127.0.0.1:9"  # The discard port: connections are refused.


class Service(enum.StrEnum):
    """A service of the instance that can fail alone."""

    FULCIO = "fulcio"
    REKOR_V1 = "rekor1"
    REKOR_V2 = "rekor2"
    TSA = "tsa"
    TUF = "tuf"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to each answer of a service, or to so many (`times`) before it is healthy again.

    Make one by the functions below; a request is always read to its end before its answer goes wrong.
    """

    kind: str
    details: dict[str, Any] = field(default_factory=dict)
    times: int | None = None


def slow(seconds: float = 3600.0, *, times: int | None = None) -> Fault:
    """Return the fault of a service that answers rightly, but so many seconds late."""
    return Fault(kind="slow", details={"seconds": seconds}, times=times)


def down(*, times: int | None = None) -> Fault:
    """Return the fault of a service whose connections are reset before the answer's first byte."""
    return Fault(kind="reset", times=times)


def refuse(
    status: int = 503, body: object = None, *, headers: dict[str, str] | None = None, times: int | None = None
) -> Fault:
    """Return the fault of a service that answers with this status and body: text as it is, anything else as JSON.

    Without a body it is ``{"code": STATUS, "message": "refused"}``. A redirection is a status with ``Location``.
    """
    details: dict[str, Any] = {"status": status, "headers": headers or {}}
    if body is not None:
        details |= {"body": body, "type": "text/plain" if isinstance(body, str) else "application/json"}
    return Fault(kind="refuse", details=details, times=times)


def cut(*, times: int | None = None) -> Fault:
    """Return the fault of a service that closes the connection in the middle of the body that it announced."""
    return Fault(kind="cut", times=times)


def garbage(body: str | None = None, *, times: int | None = None) -> Fault:
    """Return the fault of a service whose answer has the right status and type, but another body (default: noise)."""
    return Fault(kind="garbage", details={} if body is None else {"body": body}, times=times)


def replay(*, times: int | None = None) -> Fault:
    """Return the fault of a service that gives its last good answer again: right in itself, but to another question."""
    return Fault(kind="replay", times=times)


def trickle(*, times: int | None = None) -> Fault:
    """Return the fault of a service that sends a blank ten times a second, and never ends."""
    return Fault(kind="trickle", times=times)


def flood(*, times: int | None = None) -> Fault:
    """Return the fault of a service that sends blanks as fast as they are read, and never ends."""
    return Fault(kind="flood", times=times)


@contextlib.contextmanager
def set_fault(url: str, service: Service, fault: Fault) -> Iterator[None]:
    """Give a service of the instance at this address a fault until the block ends."""
    content = fault.details | {"kind": fault.kind}
    if fault.times is not None:
        content["times"] = fault.times
    control = f"{url}/faults/{service}"
    _call("PUT", control, json.dumps(content).encode())
    try:
        yield
    finally:
        _call("DELETE", control)


def count_requests(url: str) -> dict[Service, int]:
    """Return how often each service of the instance at this address was asked, faulty answers included."""
    counts = json.loads(_call("GET", f"{url}/requests"))
    return {service: counts[service] for service in Service}


def unreachable(trust_config: Path, service: Service) -> Path:
    """Write a configuration for clients, beside the given one, in which connections to the service are refused.

    TUF is not configured there: point its client at port 9 instead.
    """
    content = json.loads(trust_config.read_text())
    _entry(content["signingConfig"], service)["url"] = _NOBODY
    return _write(trust_config, f"unreachable-{service}", content)


def distrusted(trust_config: Path, trusted_root: Path) -> Path:
    """Write a configuration with the services of the one and the roots of another instance, beside the first."""
    content = json.loads(trust_config.read_text()) | {"trustedRoot": json.loads(trusted_root.read_text())}
    return _write(trust_config, "distrusted", content)


def _entry(signing_config: dict[str, Any], service: Service) -> dict[str, Any]:
    places = {Service.FULCIO: ("caUrls", 0), Service.TSA: ("tsaUrls", 0)}
    places |= {Service.REKOR_V1: ("rekorTlogUrls", 0), Service.REKOR_V2: ("rekorTlogUrls", 1)}
    kind, position = places[service]
    entry: dict[str, Any] = signing_config[kind][position]
    return entry


def _write(trust_config: Path, name: str, content: dict[str, Any]) -> Path:
    target = trust_config.with_name(f"{name}.json")
    target.write_text(json.dumps(content))
    return target


def _call(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, method=method)  # noqa: S310 - always http on the loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_LIMIT) as response:
        answer: bytes = response.read()
        return answer
