"""AWS KMS: what each of its refusals and faults becomes."""

from __future__ import annotations

import boto3
import botocore.exceptions
import pytest

from hatch_sign.remote import FailureKind
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError, SecretUnavailableError
from hatch_sign_kms.aws.key import AwsKey
from hatch_sign_kms.aws.translate import CODES, classify

from .aws_rig import SECRET, described_key, stubbed

ERRORS = {
    FailureKind.MISSING: KeyNotFoundError,
    FailureKind.UNAUTHENTICATED: SecretRejectedError,
    FailureKind.NO_CREDENTIAL: SecretUnavailableError,
}


@pytest.mark.parametrize("code", list(CODES))
def test_every_code_of_the_service_is_one_clear_error(code: str) -> None:
    kind, found, _ = CODES[code]
    with stubbed() as (connection, stubber):
        for _ in range(7 if kind.passes else 1):
            stubber.add_client_error("get_public_key", code, f"text with {SECRET}", http_status_code=400)
        with pytest.raises(CustodyError) as caught:
            AwsKey(connection, "alias/release").describe()
    assert type(caught.value) is ERRORS.get(kind, CustodyError)
    assert str(caught.value).startswith(f"awskms:///alias/release: AWS KMS {found}")
    assert f"({code})" in str(caught.value)
    assert caught.value.remedy
    assert ("kms:GetPublicKey" in str(caught.value)) == (kind is FailureKind.REFUSED)
    assert_presentable(caught.value, [SECRET])


def test_the_codes_that_the_sdk_knows_of_our_calls_are_in_the_table() -> None:
    service = boto3.Session(region_name="eu-central-1").client("kms").meta.service_model
    operations = ("Sign", "GetPublicKey", "DescribeKey", "CreateAlias", "ListKeys", "ListAliases")
    known = {shape.name for name in operations for shape in service.operation_model(name).error_shapes}
    never = {"DryRunOperationException", "InvalidMarkerException"}
    assert known - never <= set(CODES)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, CustodyError), (401, SecretRejectedError), (403, CustodyError), (404, KeyNotFoundError), (418, CustodyError)],
)
def test_an_unknown_code_is_read_by_its_status(status: int, expected: type[CustodyError]) -> None:
    with stubbed() as (connection, stubber):
        stubber.add_client_error("get_public_key", "TeapotException", SECRET, http_status_code=status)
        with pytest.raises(CustodyError, match=rf"\({status}\)") as caught:
            AwsKey(connection, "alias/release").describe()
    assert type(caught.value) is expected
    assert_presentable(caught.value, [SECRET])


def test_what_passes_is_repeated() -> None:
    with stubbed() as (connection, stubber):
        for status in (429, 500, 503):
            stubber.add_client_error("get_public_key", "Unknown", http_status_code=status)
        described_key(connection, stubber)


WRAPPED = {"error": f"inner {SECRET}", "endpoint_url": f"https://{SECRET}"}


@pytest.mark.parametrize(
    ("error", "kind", "phrase"),
    [
        (botocore.exceptions.NoCredentialsError(), FailureKind.NO_CREDENTIAL, ""),
        (botocore.exceptions.PartialCredentialsError(provider="env", cred_var=SECRET), FailureKind.NO_CREDENTIAL, "a part"),
        (botocore.exceptions.ProfileNotFound(profile=SECRET), FailureKind.NO_CREDENTIAL, "the profile does not exist"),
        (botocore.exceptions.CredentialRetrievalError(provider="x", error_msg=SECRET), FailureKind.UNAUTHENTICATED, "log"),
        (botocore.exceptions.TokenRetrievalError(provider="x", error_msg=SECRET), FailureKind.UNAUTHENTICATED, "log"),
        (botocore.exceptions.UnauthorizedSSOTokenError(), FailureKind.UNAUTHENTICATED, "log"),
        (botocore.exceptions.LoginRefreshRequired(), FailureKind.UNAUTHENTICATED, "log"),
        (botocore.exceptions.SSOTokenLoadError(error_msg=SECRET), FailureKind.UNAUTHENTICATED, "log"),
        (botocore.exceptions.NoRegionError(), FailureKind.INVALID, "needs a region"),
        (botocore.exceptions.InvalidRegionError(region_name=SECRET), FailureKind.INVALID, "no such region"),
        (botocore.exceptions.ConfigParseError(path=SECRET), FailureKind.INVALID, "configuration file"),
        (botocore.exceptions.EndpointConnectionError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.ConnectTimeoutError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.ReadTimeoutError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.ConnectionClosedError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.ProxyConnectionError(proxy_url=SECRET, error=SECRET), FailureKind.UNAVAILABLE, "the proxy"),
        (botocore.exceptions.SSLError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.HTTPClientError(**WRAPPED), FailureKind.UNAVAILABLE, ""),
        (botocore.exceptions.ParamValidationError(report=SECRET), FailureKind.INVALID, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_every_exception_of_the_sdk_has_its_meaning(error: Exception, kind: FailureKind, phrase: str) -> None:
    failure = classify(error)
    assert failure is not None
    assert failure.kind is kind
    assert phrase in failure.found
    assert_presentable(failure.as_error(service="AWS KMS", key="awskms:///alias/x"), [SECRET])


def test_an_exception_of_nobody_has_none() -> None:
    assert classify(RuntimeError(SECRET)) is None
