"""A key of AWS KMS behind answers that a test gives it, and what they are."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.stub import Stubber

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.public_keys import encode_public_key
from hatch_sign_kms.aws.client import Connection
from hatch_sign_kms.aws.key import AwsKey
from hatch_sign_kms.aws.translate import classify
from tests.unit.remote.services import Time

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "aws-secret-of-the-test"  # noqa: S105 - what no error may show
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:eu-central-1:111122223333:key/{ID}"
OTHER = ARN.replace("1234abcd", "00000000")
KEY = private_key(KeyAlgorithm.ECDSA_P256).public_key()
DIGEST = bytes(32)


@cache
def client_at(endpoint_url: str | None) -> Any:  # noqa: ANN401 - boto3 has no types
    """Return boto3's client, which takes a tenth of a second to make, and keeps nothing of a test."""
    credentials = {"aws_access_key_id": "AKIA", "aws_secret_access_key": SECRET, "region_name": "eu-central-1"}
    config = Config(retries={"total_max_attempts": 1})
    return boto3.Session(**credentials).client("kms", endpoint_url=endpoint_url, config=config)


@contextmanager
def stubbed(endpoint_url: str | None = None) -> Iterator[tuple[Connection, Stubber]]:
    """Lend a connection whose answers are queued; every one must have been asked for by the end."""
    sdk = client_at(endpoint_url)
    caller = ServiceCaller("AWS KMS", "awskms:///alias/release", classify, NetworkLimits(), Time().timing)
    with Stubber(sdk) as stubber:
        yield Connection(sdk, caller), stubber
        stubber.assert_no_pending_responses()


def public_key(**changes: object) -> dict[str, Any]:
    described = {"KeyId": ARN, "PublicKey": encode_public_key(KEY), "KeySpec": "ECC_NIST_P256"}
    return {**described, "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"], **changes}


def metadata(**changes: object) -> dict[str, Any]:
    described = {"KeyId": ID, "Arn": ARN, "KeyUsage": "SIGN_VERIFY", "KeyState": "Enabled", "Origin": "AWS_KMS"}
    return {"KeyMetadata": {**described, "KeySpec": "ECC_NIST_P256", "KeyManager": "CUSTOMER", **changes}}


def signature(**changes: object) -> dict[str, Any]:
    return {"KeyId": ARN, "Signature": b"signature", "SigningAlgorithm": "ECDSA_SHA_256", **changes}


def described_key(connection: Connection, stubber: Stubber) -> AwsKey:
    stubber.add_response("get_public_key", public_key(), {"KeyId": "alias/release"})
    key = AwsKey(connection, "alias/release")
    key.describe()
    return key
