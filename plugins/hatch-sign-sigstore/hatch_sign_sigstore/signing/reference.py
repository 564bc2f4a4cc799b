"""References of the scheme ``sigstore``: which instance signs, and where the identity comes from. Nothing is read here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_CLIENT_ID = "sigstore"
"""The audience of tokens for Fulcio, where the instance wants no other."""
DEFAULT_TIMEOUT = 90.0
"""Seconds for one call of a service, with all its repetitions."""

_INSTANCES = ("", "staging")
_SETTINGS = ("client-id", "instance", "oidc-issuer", "rekor-version", "timeout", "token-source", "trust-config")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True)
class SigstoreReference:
    """A reference taken apart; None is what was not given. `name` is fit for messages.

    `trust_config` is a file, `instance` the address of a TUF repository; with neither, the public instance is meant, or
    with `staging` the one for trying things out. `token_source` is ``env:NAME`` or ``file:PATH``. `timeout` is in seconds.
    """

    name: str
    staging: bool = False
    trust_config: str | None = None
    instance: str | None = None
    token_source: str | None = None
    rekor_version: int | None = None
    oidc_issuer: str | None = None
    client_id: str = DEFAULT_CLIENT_ID
    timeout: float = DEFAULT_TIMEOUT


def parse_sigstore_reference(reference: str) -> SigstoreReference:
    """Take ``sigstore:`` or ``sigstore:staging`` apart, with its query. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    if parsed.path not in _INSTANCES:
        message = f"{display(parsed.name)}: no Sigstore instance of that name, expected `sigstore:` or `sigstore:staging`"
        raise ConfigurationError(message, remedy="name another instance by `sigstore:?trust-config=FILE`")
    query = parsed.query
    if "pin-source" in query:
        message = f"{parsed.name}: it has no PIN"
        raise ConfigurationError(message, remedy="write `token-source` for the identity token")
    parsed.require_known(*_SETTINGS)
    name = parsed.name.rstrip(":")
    _refuse_two_instances(name, staging=bool(parsed.path), query=query)
    return SigstoreReference(
        name,
        staging=bool(parsed.path),
        trust_config=_filled(query, "trust-config", name),
        instance=_https(query, "instance", name),
        token_source=_token_source(query, name),
        rekor_version=_rekor_version(query, name),
        oidc_issuer=_https(query, "oidc-issuer", name),
        client_id=_filled(query, "client-id", name) or DEFAULT_CLIENT_ID,
        timeout=_timeout(query, name),
    )


def _refuse_two_instances(name: str, *, staging: bool, query: Mapping[str, str]) -> None:
    named = [each for each in ("trust-config", "instance") if each in query]
    if staging + len(named) > 1:
        found = " and ".join([*(["staging"] if staging else []), *(f"`{each}`" for each in named)])
        message = f"{name}: it names two instances, {found}"
        raise ConfigurationError(message, remedy="leave one")


def _filled(query: Mapping[str, str], setting: str, name: str) -> str | None:
    value = query.get(setting)
    if value == "":
        message = f"{name}: `{setting}` is empty"
        raise ConfigurationError(message, remedy="fill it, or leave it out")
    return value


def _https(query: Mapping[str, str], setting: str, name: str) -> str | None:
    value = _filled(query, setting, name)
    if value is not None and not is_secure(value):
        from hatch_sign.remote.http import shown_address  # noqa: PLC0415 - once something is wrong

        message = f"{name}: `{setting}` is {shown_address(value)}, expected an https address"
        raise ConfigurationError(message)
    return value


def is_secure(address: str) -> bool:
    """Return whether nobody on the way can change what is said: by TLS, or because it stays on this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if "\\" in parts.netloc:  # requests ends the host there: in http://evil.example\@localhost, it is not this machine
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))


def _token_source(query: Mapping[str, str], name: str) -> str | None:
    value = _filled(query, "token-source", name)
    if value is None:
        return None
    kind, _, rest = value.partition(":")
    if (kind == "env" and _VARIABLE.match(rest)) or (kind == "file" and rest):
        return value
    # The value is not repeated: somebody may have written the token itself there.
    message = f"{name}: its `token-source` is neither env:NAME nor file:PATH"
    raise ConfigurationError(message, remedy="put the token into an environment variable or a file, and name that")


def _rekor_version(query: Mapping[str, str], name: str) -> int | None:
    value = _filled(query, "rekor-version", name)
    if value not in {None, "1", "2"}:
        message = f"{name}: `rekor-version` is {display(value)}, expected 1 or 2"
        raise ConfigurationError(message)
    return int(value) if value else None


def _timeout(query: Mapping[str, str], name: str) -> float:
    value = _filled(query, "timeout", name)
    if value is None:
        return DEFAULT_TIMEOUT
    seconds = float(value) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", value, re.ASCII) else 0.0
    if not 0.0 < seconds <= _LONGEST_TIMEOUT:
        message = f"{name}: `timeout` is {display(value)}, expected seconds, from above 0 to {_LONGEST_TIMEOUT:.0f}"
        raise ConfigurationError(message)
    return seconds
