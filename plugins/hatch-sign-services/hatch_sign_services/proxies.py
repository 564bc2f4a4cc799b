"""The proxy that the environment names, as curl and every SDK read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from urllib3.util import make_headers

from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is, and the headers that log in to it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def find_proxy(origin: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for `origin` from HTTPS_PROXY or ALL_PROXY, unless NO_PROXY names its host; lower case goes first.

    Raises ConfigurationError for one that is no HTTP proxy, without repeating it: a proxy's address may hold a password.
    """
    excepted = _variable("no_proxy", environ)
    address = _variable("https_proxy", environ) or _variable("all_proxy", environ)
    if not address or _is_excepted(urlsplit(origin).hostname or "", excepted):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in {"http", "https"}:
        message = "HTTPS_PROXY or ALL_PROXY does not name an HTTP proxy"
        raise ConfigurationError(message, remedy="write http://HOST:PORT")
    shown = f"[{host}]" if ":" in host else host
    return Proxy(f"{parts.scheme}://{shown}" + (f":{port}" if port else ""), _login(parts.username, parts.password))


def _is_excepted(host: str, excepted: str) -> bool:
    names = [name.strip().lower().lstrip(".") for name in excepted.split(",")]
    return "*" in names or any(name and f".{host}".endswith(f".{name}") for name in names)


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _login(user: str | None, password: str | None) -> Mapping[str, str]:
    if user is None:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(user)}:{unquote(password or '')}")
