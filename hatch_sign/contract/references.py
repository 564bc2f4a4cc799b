"""Key references: taken apart once, by the same rules for every backend."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4096
"""Characters in a key reference; nothing needs more."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*\Z")
_LITERAL_SECRET = re.compile(r"(?:\A|[?&;/:])pin-?value\s*=", re.IGNORECASE)
_CREDENTIAL_IN_AUTHORITY = re.compile(r"\A//.*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A key reference, ``SCHEME:PATH?QUERY``, taken apart.

    `path` is raw, as each scheme has rules of its own for it; `query` is percent-decoded (RFC 3986 §2.1) and holds no
    name twice. Neither holds a secret: a literal PIN or password was refused.
    """

    scheme: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The reference without its query: fit for messages, logs and records."""
        return f"{self.scheme}:{self.path}"

    @property
    def pin_source(self) -> str | None:
        """Where the reference itself says that the PIN is: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``."""
        return self.query.get("pin-source")

    def require_known(self, *names: str) -> None:
        """Raise ConfigurationError if the query holds anything but `names` and ``pin-source``."""
        unknown = sorted(set(self.query) - {"pin-source", *names})
        if unknown:
            message = f"{self.name}: `{unknown[0]}` is not a setting of {self.scheme} references"
            raise ConfigurationError(message, remedy=f"it may hold {', '.join(sorted({'pin-source', *names}))}")


def parse_reference(reference: str) -> KeyReference:
    """Take `reference` apart.

    Raises ConfigurationError for one that is not well-formed, that holds a PIN (``pin-value``, RFC 7512 §2.3) or a
    password before the host, or that sets something twice. The message never repeats what might be the secret.
    """
    scheme, colon, rest = reference.partition(":")
    if not colon or not _SCHEME.match(scheme.lower()) or len(reference) > LONGEST or not reference.isprintable():
        message = "a key reference is not of the form SCHEME:PATH"
        remedy = "write, for instance, `emulated:release` or `pkcs11:token=release;object=signing`"
        raise ConfigurationError(message, remedy=remedy)
    _refuse_literal_secrets(scheme.lower(), rest)
    path, _, query = rest.partition("?")
    return KeyReference(scheme.lower(), path, _parse_query(query, f"{scheme.lower()}:{path}"))


def without_query(reference: str) -> str:
    """Return `reference` up to its query, where PIN sources and module paths stand; never raises."""
    return reference.partition("?")[0]


def _refuse_literal_secrets(scheme: str, rest: str) -> None:
    decoded = unquote(rest)
    if _LITERAL_SECRET.search(rest) or _LITERAL_SECRET.search(decoded):
        message = f"the {scheme}: reference holds a PIN in its text (pin-value), where logs and process lists show it"
        raise ConfigurationError(message, remedy="use `pin-source=env:NAME`, `pin-source=file:PATH` or HATCH_SIGN_PIN")
    # A password may hold a slash or a question mark, and so end anywhere: no reference of ours has an @ after //.
    if _CREDENTIAL_IN_AUTHORITY.match(rest) or _CREDENTIAL_IN_AUTHORITY.match(decoded):
        message = f"a {scheme}: reference holds a password before its host (an @), where logs and process lists show it"
        raise ConfigurationError(message, remedy="leave the password out and use the environment variable of the service")


def _parse_query(query: str, subject: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or not name:
            message = f"{subject}: its query is not of the form NAME=VALUE&NAME=VALUE"
            raise ConfigurationError(message)
        if name in settings:
            message = f"{subject}: its query sets `{name}` twice"
            raise ConfigurationError(message, remedy="leave one")
        settings[name] = unquote(value)
    return settings
