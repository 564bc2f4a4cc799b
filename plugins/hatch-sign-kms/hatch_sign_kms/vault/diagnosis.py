"""What lies between a reference and its transit key, in the order in which opening the key would meet it."""

from __future__ import annotations

from contextlib import closing
from importlib.metadata import version
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.remote import QUICK
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign_kms.vault.connection import make_connection
from hatch_sign_kms.vault.login import choose_login
from hatch_sign_kms.vault.reference import parse_vault_reference, require_name
from hatch_sign_kms.vault.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext, SecretRequest
    from hatch_sign_kms.vault.connection import Connection
    from hatch_sign_kms.vault.settings import VaultSettings


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_vault_reference(reference)
    name = require_name(parsed)
    subject = "address"
    try:
        settings = read_settings(parsed.scheme, context.environ)
        yield _of_address(settings)
        subject = "client"
        connection = make_connection(parsed, settings, context, QUICK)
        with closing(connection.adapter):
            yield Symptom("ok", "client", f"hvac {version('hvac')}")
            subject = "server"
            server = _of_server(connection)
            yield server
            if server.status == "failure":
                return
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)
        return
    yield choose_login(parsed, settings).request
    found = f"{settings.product} shows {display(settings.mount)}/keys/{name} to those only who have logged in"
    yield Symptom("warning", "key", found, "repeat with --log-in")


def _of_address(settings: VaultSettings) -> Symptom:
    found = f"{display(settings.address)}, from {settings.name_of('ADDR')}"
    if settings.exposed:
        return Symptom("warning", "address", f"{found}: the token crosses the network in clear", "use https")
    return Symptom("ok", "address", found)


def _of_server(connection: Connection) -> Symptom:
    status = connection.seal_status()
    if status.get("sealed") is not False:
        found = "it is sealed" if status.get("sealed") else "what answers is no such server"
        return Symptom("failure", "server", found, "have it unsealed" if status.get("sealed") else "check the address")
    return Symptom("ok", "server", f"unsealed, version {display(status.get('version', 'unknown'))}")
