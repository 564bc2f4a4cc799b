"""What lies between a reference and its key in a vault, in the order in which opening the key would meet it."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.remote import QUICK
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.azure.connection import connect, make_caller
from hatch_sign_kms.azure.key import AzureKey
from hatch_sign_kms.azure.references import parse_azure_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_azure_reference(reference)
    caller = make_caller(parsed, context, limits=QUICK)
    subject = "client"
    try:
        with connect(parsed, caller, connections=1) as vault:
            found = f"azure-keyvault-keys {version('azure-keyvault-keys')}, azure-identity {version('azure-identity')}"
            yield Symptom("ok", "client", found)
            subject = "key"
            yield Symptom("ok", "address", f"{display(parsed.host)}, {parsed.service}")
            key = AzureKey(vault, parsed, caller, warn=context.warn)
            facts = key.describe()
            place = f"{display(parsed.key)} {display(key.version)}"
            yield Symptom("ok", "key", f"{place} ({describe_key(facts.public_key)}), as {parsed.service} shows it")
            for leaf in facts.certificates:
                yield Symptom("ok", "certificate", display(describe_subject(leaf)))
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)
