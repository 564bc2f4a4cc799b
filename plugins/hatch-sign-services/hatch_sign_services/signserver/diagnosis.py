"""What lies between a reference and its worker, as far as this machine knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import SecretRequest, Symptom
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_services.signserver.announcing import announced_facts
from hatch_sign_services.signserver.login import basic_login, client_tls
from hatch_sign_services.signserver.references import parse_signserver_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_services.signserver.references import SignServerReference


class _NeededError(Exception):
    """A secret is needed to go on."""

    def __init__(self, request: SecretRequest) -> None:
        super().__init__(request.label)
        self.request = request


class _NoSecrets:
    """The context of a run that gives no secret, and says which is needed."""

    def __init__(self, context: BackendContext) -> None:
        self._context = context

    @property
    def environ(self) -> Mapping[str, str]:
        return self._context.environ

    @property
    def max_concurrency(self) -> int:
        return self._context.max_concurrency

    @property
    def stopped(self) -> bool:
        return self._context.stopped

    def secret(self, request: SecretRequest) -> str:
        raise _NeededError(request)

    def rejected(self, request: SecretRequest) -> None:
        """Nothing is tried, and so nothing refused."""

    def warn(self, message: str) -> None:
        self._context.warn(message)


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none.

    The server is not asked: it tells of a worker by a signature only.
    """
    parsed = parse_signserver_reference(reference)
    subject = "login"
    try:
        yield from _look_at_login(parsed, _NoSecrets(context))
        subject = "key"
        facts = announced_facts(parsed)
        yield Symptom(
            "ok", "key", f"{describe_key(facts.public_key)}, by {display(parsed.certificate or parsed.public_key)}"
        )
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)
        return
    found = "not asked: SignServer tells of a worker by a signature only"
    yield Symptom("warning", "worker", found, "repeat with --test-signature")


def _look_at_login(reference: SignServerReference, context: _NoSecrets) -> Iterator[Symptom | SecretRequest]:
    login = basic_login(reference, context)
    certificate = context.environ.get("SIGNSERVER_CLIENT_CERTIFICATE")
    try:
        client_tls(reference, context, password_is_basic=login is not None)
    except _NeededError as needed:
        yield needed.request
    if certificate:
        yield Symptom("ok", "client certificate", display(certificate))
    if login is not None:
        yield Symptom("ok", "login", f"as {display(login.user)}, by a password")
        yield login.request
    elif not certificate:
        remedy = "set SIGNSERVER_CLIENT_CERTIFICATE or SIGNSERVER_USERNAME, unless the worker is for everybody"
        yield Symptom("warning", "login", "this client does not make itself known", remedy)
