"""The client of one server: hvac's, with redirects, repetitions and its own reading of the environment switched off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hatch_sign.remote import QUICK, Failure, FailureKind, NetworkLimits, ServiceCaller, missing_extra, pool_size
from hatch_sign.values.errors import CustodyError, SecretRejectedError
from hatch_sign_kms.vault.login import ask, choose_login
from hatch_sign_kms.vault.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests import Response

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.vault.login import Login
    from hatch_sign_kms.vault.reference import VaultReference
    from hatch_sign_kms.vault.settings import VaultSettings

LIMITS = NetworkLimits()
"""Of every connection but those that only look."""

LARGEST_ANSWER = 2**20
"""Bytes: keys of hundreds of versions, and lists of thousands of keys."""
_CHUNK = 2**16

Method = Literal["get", "list", "post"]
_CAPABILITIES: Mapping[Method, str] = {"get": "read", "list": "list", "post": "update"}


@dataclass(slots=True)
class Connection:
    """A session at a server; `adapter` is hvac's, which has no types of its own."""

    adapter: Any
    caller: ServiceCaller
    mount: str
    login: Login
    context: BackendContext
    plain_channel: bool

    def transit(
        self,
        method: Method,
        path: str,
        content: Mapping[str, object] | None = None,
        *,
        capability: str = "",
        repeatable: bool = True,
    ) -> Mapping[str, Any]:
        """Return the ``data`` of the answer to one request to the transit engine; `path` is below its mount.

        Raises CustodyError naming the policy path and the capability, which follows from the method where none is given;
        SecretRejectedError, and remembers it for the run, where the token itself is refused.
        """
        full = f"{self.mount}/{path}"
        permission = f"{capability or _CAPABILITIES[method]} on {full}"
        answer = self._ask(
            lambda: self._send(method, full, content, permission=permission), permission, repeatable=repeatable
        )
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    def seal_status(self) -> Mapping[str, Any]:
        """Return what the server says of itself to anybody. Raises CustodyError."""
        return self.caller.call(lambda: self._send("get", "sys/seal-status", None))

    def log_in(self) -> None:
        """Get a token. Raises SecretRejectedError, and remembers it for the run, for a login that is refused."""
        secret = ask(self.login, self.context)
        if self.login.path is None:
            self.adapter.token = self._sendable(secret)
            return
        path, content = f"auth/{self.login.path}/login", self.login.fields | {self.login.secret_field: secret}
        answer = self._ask(lambda: self._send("post", path, content, login=True), f"update on {path}")
        auth = answer.get("auth")
        token = auth.get("client_token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or not token:
            self.caller.reject_answer("sent no token")
        self.adapter.token = token

    def log_out(self) -> None:
        """Revoke the token if it was made for this run; a user's own token stays good."""
        if self.login.path is not None and self.adapter.token:
            quick = replace(self.caller, limits=QUICK)  # what failed has been waited for already
            try:
                quick.call(lambda: self._send("post", "auth/token/revoke-self", {}))
            except CustodyError as error:
                self.context.warn(f"the token of this run could not be revoked, and ends by itself: {error}")
        self.adapter.token = None
        self.adapter.close()

    def _sendable(self, token: str) -> str:
        """Return a token that fits a header (RFC 9110 §5.5). Raises SecretRejectedError, and remembers it for the run."""
        if token.isascii() and token.isprintable():
            return token
        self.context.rejected(self.login.request)
        found = "cannot be sent this token: it holds other characters than printable ASCII"
        raise self.caller.error(Failure(FailureKind.UNAUTHENTICATED, found=found, remedy="check where it was copied from"))

    def _ask(
        self, operation: Callable[[], Mapping[str, Any]], permission: str, *, repeatable: bool = True
    ) -> Mapping[str, Any]:
        try:
            return self.caller.call(operation, permission=permission, repeatable=repeatable)
        except SecretRejectedError:
            self.context.rejected(self.login.request)
            raise

    def _send(
        self,
        method: Method,
        path: str,
        content: Mapping[str, object] | None,
        *,
        login: bool = False,
        permission: str = "",
    ) -> Mapping[str, Any]:
        from hatch_sign_kms.vault.translate import RefusedAnswer, parse_answer  # noqa: PLC0415 - it needs the extra

        response, body = self._fetch(method, path, content)
        if response.ok and not response.is_redirect:
            return parse_answer(body)
        refused = RefusedAnswer(response, body, login=login, permission=permission)
        if method == "list" and refused.is_empty_list:
            return {}
        # "permission denied" is all that is said of a wrong token, too: ask who it is, which the policy `default` allows.
        if refused.forbidden and not login and self.adapter.token:
            refused.token_refused = RefusedAnswer(*self._fetch("get", "auth/token/lookup-self", None)).forbidden
        raise refused

    def _fetch(self, method: Method, path: str, content: Mapping[str, object] | None) -> tuple[Response, bytes]:
        """Return an answer and its body, which is as long as it was on the wire. Raises NoAnswer for a long one."""
        from hatch_sign_kms.vault.translate import NoAnswer  # noqa: PLC0415 - as above

        body = bytearray()
        with self.adapter.request(method, f"/v1/{path}", json=content, stream=True) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise NoAnswer
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NoAnswer
        return response, bytes(body)


@contextmanager
def connect(reference: VaultReference, context: BackendContext) -> Iterator[Connection]:
    """Log in, lend the session, and log out. Raises PluginError without hvac, ConfigurationError, CustodyError."""
    settings = read_settings(reference.scheme, context.environ)
    connection = make_connection(reference, settings, context)
    if settings.exposed:
        context.warn(f"{settings.name_of('ADDR')} is not https: the token crosses the network in clear")
    try:
        connection.log_in()
        yield connection
    finally:
        connection.log_out()


def make_connection(
    reference: VaultReference, settings: VaultSettings, context: BackendContext, limits: NetworkLimits | None = None
) -> Connection:
    """Return a session that is not logged in. Raises PluginError without hvac."""
    limits = limits or LIMITS
    try:
        import requests  # noqa: PLC0415 - an extra, and 100 ms
        from hvac.adapters import RawAdapter  # noqa: PLC0415 - as above
    except ImportError:
        raise missing_extra(scheme=f"{reference.scheme}:", package="hvac", requirement="hatch-sign-kms[vault]") from None
    from hatch_sign_kms.vault.translate import classify  # noqa: PLC0415 - it needs the extra

    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    session.verify = settings.verify
    session.cert = settings.client_certificate
    pool = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=pool_size(context), max_retries=0)
    for prefix in ("https://", "http://"):
        session.mount(prefix, pool)
    adapter = RawAdapter(
        base_uri=settings.address,
        session=session,
        timeout=(limits.connect, limits.read),
        allow_redirects=False,  # a redirect would carry the token to wherever it points
        namespace=settings.get("NAMESPACE"),
        ignore_exceptions=True,
    )
    caller = ServiceCaller(settings.product, reference.text, classify, limits, stopped=lambda: context.stopped)
    login = choose_login(reference, settings)
    return Connection(adapter, caller, settings.mount, login, context, plain_channel=settings.plain_channel)
