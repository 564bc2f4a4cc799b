"""What lies between a reference and its key in AWS KMS, in the order in which opening the key would meet it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.remote import QUICK, Failure, FailureKind
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.aws.client import SERVICE, connect, import_boto3, make_caller, make_session
from hatch_sign_kms.aws.key import AwsKey
from hatch_sign_kms.aws.reference import parse_aws_reference, require_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.aws.reference import AwsReference


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_aws_reference(reference)
    name = require_key(parsed)
    subject = "client"
    try:
        yield Symptom("ok", "client", f"boto3 {import_boto3().__version__}")
        subject = "credential"
        yield from _of_session(parsed, context)
        subject = "key"
        with connect(parsed, context, QUICK) as connection:
            facts = AwsKey(connection, name).describe()
            yield Symptom("ok", "key", f"{display(name)} ({describe_key(facts.public_key)}), as {SERVICE} shows it")
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)


def _of_session(reference: AwsReference, context: BackendContext) -> Iterator[Symptom]:
    caller = make_caller(reference, context, QUICK)
    session = caller.call(lambda: make_session(reference, context, QUICK))
    if session.region_name:
        yield Symptom("ok", "region", display(session.region_name))
    credentials = caller.call(session.get_credentials)
    if credentials is None:
        raise caller.error(Failure(FailureKind.NO_CREDENTIAL, remedy="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its peers"))
    yield Symptom("ok", "credential", f"found by boto3: {display(credentials.method)}")
