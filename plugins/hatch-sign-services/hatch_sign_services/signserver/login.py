"""How a client makes itself known to SignServer: by a TLS certificate, by a name and a password, or not at all.

The variables: SIGNSERVER_CLIENT_CERTIFICATE and SIGNSERVER_CLIENT_KEY are PEM files (the key may stand in the first);
SIGNSERVER_CLIENT_KEY_PASSWORD decrypts the key. SIGNSERVER_USERNAME and SIGNSERVER_PASSWORD are for Basic, and go to the
server SIGNSERVER_URL only: a reference is a project's, and may name any host and any source of a secret.
SIGNSERVER_CA_BUNDLE is the PEM of the authorities that the server's certificate is held against, in place of the system's.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import SecretRequest
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_services.tls import show_certificate, trusting

if TYPE_CHECKING:
    import ssl

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_services.signserver.references import SignServerReference

URL_VARIABLE = "SIGNSERVER_URL"
"""The environment variable that names the one origin that a password may be sent to."""

_PASSWORD_VARIABLE = "SIGNSERVER_PASSWORD"  # noqa: S105 - the name of a variable
_ORIGIN = re.compile(r"https://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?/?\Z")
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A name and a password (RFC 7617). The context remembers the password, and that it was refused."""

    user: str
    request: SecretRequest
    context: BackendContext

    def header(self) -> str:
        """Return the Authorization header. Raises SecretRejectedError once it was refused, SecretUnavailableError."""
        login = f"{self.user}:{self.context.secret(self.request)}"
        return "Basic " + base64.b64encode(login.encode()).decode("ascii")

    def rejected(self) -> None:
        """Record that the server refused it: it is not tried again in this run."""
        self.context.rejected(self.request)


def basic_login(reference: SignServerReference, context: BackendContext) -> BasicLogin | None:
    """Return the login by name and password; None where no name is set. Nothing secret is read yet.

    Raises ConfigurationError for an impossible name, and where the environment does not name the server of `reference`. A
    password that is neither in a variable nor in a pin-source needs no such leave: the keyring holds it under the name of
    the server, and a person who is asked reads that name.
    """
    user = context.environ.get("SIGNSERVER_USERNAME")
    if not user:
        return None
    if ":" in user:
        message = "SIGNSERVER_USERNAME holds a colon, which no name for Basic authentication has"
        raise ConfigurationError(message)
    if reference.pin_source is not None or _PASSWORD_VARIABLE in context.environ:
        _require_named(reference, context.environ.get(URL_VARIABLE, ""))
    return BasicLogin(user, _request(reference, f"user {user} at", _PASSWORD_VARIABLE, reference.pin_source), context)


def client_tls(reference: SignServerReference, context: BackendContext, *, password_is_basic: bool) -> ssl.SSLContext:
    """Return the TLS of the client, with its certificate where one is set. Raises as show_certificate does."""
    environ = context.environ
    tls = trusting(environ.get("SIGNSERVER_CA_BUNDLE") or None)
    certificate, key = environ.get("SIGNSERVER_CLIENT_CERTIFICATE"), environ.get("SIGNSERVER_CLIENT_KEY")
    if certificate:
        source = None if password_is_basic else reference.pin_source
        request = _request(reference, "client key for", "SIGNSERVER_CLIENT_KEY_PASSWORD", source)
        show_certificate(tls, certificate, key or None, request, context)
    elif key:
        message = "SIGNSERVER_CLIENT_KEY is set, and SIGNSERVER_CLIENT_CERTIFICATE is not"
        raise ConfigurationError(message, remedy="set both, or neither")
    return tls


def _require_named(reference: SignServerReference, named: str) -> None:
    if named and _origin(named) is None:
        message = f"{URL_VARIABLE} is not of the form https://HOST[:PORT]"
        raise ConfigurationError(message, remedy="write the server's address without the path of a worker")
    if not named or _origin(named) != _origin(reference.origin):
        found = f"{URL_VARIABLE} names {display(named)}" if named else f"{URL_VARIABLE} is not set"
        message = f"{reference.text}: no password is sent to {display(reference.origin)}: {found}"
        raise ConfigurationError(
            message, remedy=f"where that server is yours, set {URL_VARIABLE}={display(reference.origin)} outside the project"
        )


def _origin(address: str) -> tuple[str, int] | None:
    found = _ORIGIN.match(address.lower())
    return (found["host"], int(found["port"] or _HTTPS_PORT)) if found else None


def _request(reference: SignServerReference, whose: str, variable: str, source: str | None) -> SecretRequest:
    return SecretRequest("token", f"{whose} {reference.origin}", reference.text, source=source, variables=(variable,))
