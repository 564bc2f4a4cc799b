"""What lies between a reference and its key in Google Cloud KMS, in the order in which opening the key would meet it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.remote import QUICK
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.google.connection import connect, make_caller, require_sdk
from hatch_sign_kms.google.endpoint import VARIABLE, find_endpoint
from hatch_sign_kms.google.key import GoogleKey
from hatch_sign_kms.google.references import parse_google_reference
from hatch_sign_kms.google.translate import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.google.endpoint import Endpoint


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_google_reference(reference)
    caller = make_caller(parsed, context, limits=QUICK)
    subject = "client"
    try:
        require_sdk()
        yield Symptom("ok", "client", f"google-cloud-kms {version('google-cloud-kms')}")
        subject = "address"
        endpoint = find_endpoint(context.environ)
        yield _of_address(endpoint)
        subject = "credential"
        with connect(caller, context.environ) as connection:
            if not connection.plain_channel:
                yield Symptom("ok", "credential", "found by google-auth")
            subject = "key"
            key = GoogleKey(connection, parsed, caller)
            facts = key.describe()
            found = f"{display(key.version)} ({describe_key(facts.public_key)}), as {SERVICE} shows it"
            yield Symptom("ok", "key", found)
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)


def _of_address(endpoint: Endpoint | None) -> Symptom:
    if endpoint is None:
        return Symptom("ok", "address", "Google's own")
    found = f"{display(endpoint.address)}, from {VARIABLE}"
    if endpoint.plain:
        return Symptom("warning", "address", f"{found}: a plain channel, without a credential", "it is for emulators only")
    return Symptom("ok", "address", found)
