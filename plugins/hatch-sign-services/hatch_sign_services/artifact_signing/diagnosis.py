"""What lies between a reference and its key in Artifact Signing, in the order in which opening the key would meet it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.remote import QUICK
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_services.artifact_signing.connecting import SERVICE, connected
from hatch_sign_services.artifact_signing.references import parse_artifact_signing_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_artifact_signing_reference(reference)
    subject = "client"
    try:
        with connected(parsed, context, QUICK) as key:
            yield Symptom("ok", "address", parsed.origin(context.environ))
            subject = "profile"
            facts = key.describe()
            leaf = facts.certificates[0]
            yield Symptom("ok", "profile", f"{describe_key(facts.public_key)}, as {SERVICE} shows it")
            ends = f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            yield Symptom("ok", "certificate", f"{display(describe_subject(leaf))}, until {ends}")
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)
