"""AWS KMS at the border of its SDK: botocore's own stubs answer as the service is documented to."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.custody.context import RunContext
from hatch_sign.remote import FailureKind, NetworkLimits, ServiceCaller
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    KeyNotFoundError,
    SecretRejectedError,
    SecretUnavailableError,
    UnsupportedError,
)
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import encode_public_key
from hatch_sign_kms.aws import AwsBackend, client
from hatch_sign_kms.aws.client import Connection
from hatch_sign_kms.aws.key import AwsKey, read_protection
from hatch_sign_kms.aws.keys import describe_every, make_key
from hatch_sign_kms.aws.reference import parse_aws_reference
from hatch_sign_kms.aws.translate import CODES, classify
from tests.peers.kms.aws.rig import settings
from tests.peers.kms.faults import Fault, Proxy, proxied
from tests.unit.remote.services import Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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


# --- failures -----------------------------------------------------------------------------------------------------------

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


# --- one key ------------------------------------------------------------------------------------------------------------


def test_an_alias_is_resolved_once_and_signs_by_its_arn() -> None:
    expected = {"KeyId": ARN, "Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    with stubbed() as (connection, stubber):
        key = described_key(connection, stubber)
        for _ in range(2):
            stubber.add_response("sign", signature(), expected)
            assert key.sign_digest(DIGEST, Scheme.ECDSA_SHA256) == b"signature"


def test_ed25519_takes_the_message() -> None:
    expected = {"KeyId": ARN, "Message": b"message", "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    edwards = private_key(KeyAlgorithm.ED25519).public_key()
    offered = ["ED25519_SHA_512", "ED25519_PH_SHA_512"]
    with stubbed() as (connection, stubber):
        answer = public_key(PublicKey=encode_public_key(edwards), SigningAlgorithms=offered)
        stubber.add_response("get_public_key", answer)
        key = AwsKey(connection, "alias/release")
        facts = key.describe()
        assert (facts.schemes, facts.max_message) == ((Scheme.ED25519,), 4096)
        stubber.add_response("sign", signature(SigningAlgorithm="ED25519_SHA_512"), expected)
        assert key.sign_message(b"message") == b"signature"


@pytest.mark.parametrize("name", [ARN, ID])
def test_a_key_that_was_not_asked_for_is_not_described(name: str) -> None:
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", public_key(), {"KeyId": name})
        assert AwsKey(connection, name).describe().public_key == KEY
        stubber.add_response("get_public_key", public_key(KeyId=OTHER), {"KeyId": name})
        with pytest.raises(CustodyError, match="answered for another key than the one that was asked for"):
            AwsKey(connection, name).describe()


@pytest.mark.parametrize(
    "answer",
    [signature(KeyId=OTHER), signature(SigningAlgorithm="ECDSA_SHA_384"), {"Signature": b"x"}],
    ids=["key", "algorithm", "nothing"],
)
def test_an_answer_of_another_key_or_algorithm_is_refused(answer: dict[str, Any]) -> None:
    with stubbed() as (connection, stubber):
        key = described_key(connection, stubber)
        stubber.add_response("sign", answer)
        with pytest.raises(CustodyError, match="signed with another key or algorithm"):
            key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)


@pytest.mark.parametrize("missing", ["KeyId", "PublicKey", "KeyUsage"])
def test_an_answer_without_what_was_asked_for_is_none(missing: str) -> None:
    answer = public_key()
    del answer[missing]
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", answer)
        with pytest.raises(CustodyError, match=f"AWS KMS sent no {missing}"):
            AwsKey(connection, "alias/release").describe()


@pytest.mark.parametrize("usage", ["ENCRYPT_DECRYPT", "KEY_AGREEMENT"])
def test_a_key_that_is_not_for_signing_is_refused(usage: str) -> None:
    with stubbed() as (connection, stubber):
        stubber.add_response("get_public_key", public_key(KeyUsage=usage))
        with pytest.raises(UnsupportedError, match=f"the key is for {usage}, expected one for SIGN_VERIFY"):
            AwsKey(connection, "alias/release").describe()


@pytest.mark.parametrize(
    ("origin", "level"),
    [
        ("AWS_KMS", ProtectionLevel.PROVIDER_ASSERTED),
        ("AWS_CLOUDHSM", ProtectionLevel.PROVIDER_ASSERTED),
        ("EXTERNAL", ProtectionLevel.SOFTWARE),
        ("EXTERNAL_KEY_STORE", ProtectionLevel.SOFTWARE),
        ("SOMETHING_NEW", ProtectionLevel.SOFTWARE),
    ],
)
def test_protection_is_what_the_origin_is_worth(origin: str, level: ProtectionLevel) -> None:
    created = datetime(2026, 1, 2, tzinfo=UTC)
    described = metadata(Origin=origin, CustomKeyStoreId="cks-1", MultiRegion=False, CreationDate=created)["KeyMetadata"]
    protection = read_protection(described, plain_channel=False)
    assert protection.level is level
    assert ("not exportable; AWS KMS says so" in protection.summary) is (level is ProtectionLevel.PROVIDER_ASSERTED)
    assert protection.claims["origin"] == origin
    assert protection.claims["key store"] == "cks-1"
    assert protection.claims["multi-region"] == "false"
    assert read_protection(described, plain_channel=True).level is ProtectionLevel.SOFTWARE


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_of_the_users_without_tls_vouches_for_nothing(scheme: str) -> None:
    with stubbed(endpoint_url=f"{scheme}://127.0.0.1:9") as (connection, stubber):
        stubber.add_response("get_public_key", public_key())
        stubber.add_response("describe_key", metadata(Origin="AWS_KMS"))
        key = AwsKey(connection, "alias/release")
        key.describe()
        protection = key.protection()
    plain = scheme == "http"
    assert protection.level is (ProtectionLevel.SOFTWARE if plain else ProtectionLevel.PROVIDER_ASSERTED)
    assert ("over a plain channel (http)" in protection.summary) is plain


# --- many keys ----------------------------------------------------------------------------------------------------------

RELEASE = parse_aws_reference("awskms:///alias/release")


def taken(stubber: Stubber, *, there: bool = False) -> None:
    if there:
        stubber.add_response("describe_key", metadata(), {"KeyId": "alias/release"})
    else:
        stubber.add_client_error("describe_key", "NotFoundException", http_status_code=400)


def test_a_key_is_made_with_its_alias() -> None:
    expected = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "Description": "made by hatch-sign"}
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", metadata(), expected)
        stubber.add_response("create_alias", {}, {"AliasName": "alias/release", "TargetKeyId": ARN})
        stubber.add_response("get_public_key", public_key(), {"KeyId": ARN})
        stubber.add_response("describe_key", metadata(), {"KeyId": ARN})
        made = make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)
    assert (made.reference, made.label, made.id, made.public_key) == ("awskms:///alias/release", "release", ID, KEY)


def test_a_key_is_never_replaced() -> None:
    with stubbed() as (connection, stubber):
        taken(stubber, there=True)
        with pytest.raises(CustodyError, match="a key of this alias already; choose another alias"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


def test_making_is_not_repeated_where_it_may_have_happened() -> None:
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_client_error("create_key", "KMSInternalException", http_status_code=500)
        with pytest.raises(CustodyError, match="KMSInternalException"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


@pytest.mark.parametrize(
    ("deleting", "left"),
    [
        (
            lambda stubber: stubber.add_response("schedule_key_deletion", {}, {"KeyId": ARN, "PendingWindowInDays": 7}),
            "in 7",
        ),
        (lambda stubber: stubber.add_client_error("schedule_key_deletion", "AccessDeniedException"), f"delete .*: {ARN}"),
    ],
    ids=["deleted", "left"],
)
def test_a_key_without_its_alias_does_not_stay(deleting: Callable[[Stubber], None], left: str) -> None:
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", metadata())
        stubber.add_client_error("create_alias", "AccessDeniedException", SECRET)
        deleting(stubber)
        with pytest.raises(CustodyError, match=f"kms:CreateAlias is missing; .*{left}") as caught:
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)
    assert_presentable(caught.value, [SECRET])


def test_every_page_is_listed_and_only_keys_for_signing() -> None:
    whole = parse_aws_reference("awskms:///")
    with stubbed() as (connection, stubber):
        aliases = [{"AliasName": "alias/release", "TargetKeyId": ID}, {"AliasName": "alias/second", "TargetKeyId": ID}]
        stubber.add_response("list_aliases", {"Aliases": aliases, "Truncated": True, "NextMarker": "more"}, {})
        stubber.add_response("list_aliases", {"Aliases": [{"AliasName": "alias/aws/s3"}]}, {"Marker": "more"})
        keys = [{"KeyArn": ARN, "KeyId": ID}, {"KeyArn": OTHER, "KeyId": "00000000"}]
        stubber.add_response("list_keys", {"Keys": keys, "Truncated": False}, {})
        for _ in range(2):
            stubber.add_response("describe_key", metadata(), {"KeyId": ARN})
            if not _:
                stubber.add_response("get_public_key", public_key(), {"KeyId": ARN})
        stubber.add_response("describe_key", metadata(KeyUsage="ENCRYPT_DECRYPT"), {"KeyId": OTHER})
        (found,) = describe_every(connection, whole)
    assert (found.reference, found.label) == ("awskms:///alias/release", "release")


@pytest.mark.parametrize("missing", ["KeyMetadata", "Arn"])
def test_a_key_that_was_made_and_is_not_named_is_an_error(missing: str) -> None:
    answer = metadata()
    (answer if missing in answer else answer["KeyMetadata"]).pop(missing)
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", answer)
        with pytest.raises(CustodyError, match=f"AWS KMS sent no {missing}"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


def test_a_list_ends() -> None:
    with stubbed() as (connection, stubber):
        for number in range(1000):
            page = {"Aliases": [], "Truncated": True, "NextMarker": "again"}
            stubber.add_response("list_aliases", page, {"Marker": "again"} if number else {})
        with pytest.raises(CustodyError, match="lists without an end"):
            describe_every(connection, parse_aws_reference("awskms:///"))


def test_a_key_on_a_curve_that_nobody_signs_releases_by_is_not_listed() -> None:
    foreign = ec.generate_private_key(ec.SECP256K1()).public_key()
    with stubbed() as (connection, stubber):
        stubber.add_response("list_aliases", {"Aliases": []}, {})
        stubber.add_response("list_keys", {"Keys": [{"KeyArn": ARN, "KeyId": ID}]}, {})
        stubber.add_response("describe_key", metadata(KeySpec="ECC_SECG_P256K1"), {"KeyId": ARN})
        stubber.add_response("get_public_key", public_key(PublicKey=encode_public_key(foreign)), {"KeyId": ARN})
        assert describe_every(connection, parse_aws_reference("awskms:///")) == []


# --- the backend --------------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunContext:
    """Lend a machine where nobody has ever logged in to AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return RunContext({}, on_warning=pytest.fail)


def test_without_a_region_it_says_so(bare: RunContext) -> None:
    with pytest.raises(CustodyError, match="needs a region, and none is set; set AWS_REGION"):
        AwsBackend().open("awskms:///alias/x", bare).__enter__()


def test_without_a_credential_it_says_so(bare: RunContext) -> None:
    with pytest.raises(SecretUnavailableError, match="needs a credential, and none was found; set AWS_PROFILE"):
        AwsBackend().open(f"awskms:///{ARN}", bare).__enter__()


def test_a_service_that_stalls_is_asked_again(bare: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LIMITS", NetworkLimits(read=1.0, first_pause=0.0))
    encoded = base64.b64encode(encode_public_key(KEY)).decode()
    with proxied("http://127.0.0.1:9") as proxy:
        proxy.faults += [Fault("stall"), Fault(body=json.dumps(public_key(PublicKey=encoded)).encode())]
        for name, value in settings(proxy.url, tmp_path).items():
            monkeypatch.setenv(name, value)
        with AwsBackend().open(f"awskms:///{ARN}", bare) as signer:
            assert signer.public_key == KEY
        assert proxy.count("GetPublicKey") == 2


# --- the login ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def token_service(bare: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Proxy, RunContext]]:
    """Lend what answers for STS to a job that logs in by a web identity."""
    monkeypatch.setattr(client, "LIMITS", NetworkLimits(first_pause=0.0, attempts=2))
    (tmp_path / "token").write_text(SECRET)
    with proxied("http://127.0.0.1:9") as proxy:
        environ = {"AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/signer", "AWS_ENDPOINT_URL_STS": proxy.url}
        environ |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "NO_PROXY": "127.0.0.1"}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        yield proxy, bare


def refuse_login(proxy: Proxy, code: str, status: int) -> None:
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{SECRET}</Message></Error></ErrorResponse>"
    proxy.faults.append(Fault(status=status, body=text.encode(), headers={"Content-Type": "text/xml"}, times=99))


@pytest.mark.parametrize(
    ("code", "status", "expected", "phrase"),
    [
        ("AccessDenied", 403, SecretRejectedError, r"could not be logged in to \(AccessDenied\); .*trust policy"),
        ("InvalidIdentityToken", 400, SecretRejectedError, r"could not be logged in to \(Inv.*trust policy"),
        ("ValidationError", 400, SecretRejectedError, r"could not be logged in to \(400\); .*trust policy"),
        ("ExpiredTokenException", 400, SecretRejectedError, r"could not be logged in to \(Exp.*AWS_PROFILE"),
        ("IDPCommunicationError", 400, CustodyError, r"the token service did not answer, or failed 2 times \(IDP"),
        ("InternalFailure", 500, CustodyError, r"the token service did not answer, or failed 2 times"),
    ],
)
def test_a_login_that_is_refused_says_nothing_of_the_key(
    token_service: tuple[Proxy, RunContext], code: str, status: int, expected: type[CustodyError], phrase: str
) -> None:
    proxy, context = token_service
    refuse_login(proxy, code, status)
    with pytest.raises(CustodyError, match=phrase) as caught:
        AwsBackend().open(f"awskms:///{ARN}", context).__enter__()
    assert type(caught.value) is expected
    assert "kms:" not in str(caught.value).replace(ARN, "").replace("awskms:", "")
    assert len(proxy.requests) == (1 if expected is SecretRejectedError else 2)
    assert_presentable(caught.value, [SECRET])


def test_a_login_has_the_limits_of_every_call(
    token_service: tuple[Proxy, RunContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, context = token_service
    monkeypatch.setattr(client, "LIMITS", NetworkLimits(read=1.0, first_pause=0.0, attempts=2))
    proxy.faults.append(Fault("stall", times=99))
    with pytest.raises(CustodyError, match="did not answer, or failed 2 times"):
        AwsBackend().open(f"awskms:///{ARN}", context).__enter__()
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("reference", [f"awskms:///{ARN}", f"awskms:///{ID}", "awskms:///"])
def test_a_new_key_needs_an_alias(bare: RunContext, reference: str) -> None:
    with pytest.raises(ConfigurationError, match="a new key is named by its alias"):
        AwsBackend().generate_key(reference, KeyAlgorithm.ECDSA_P256, bare)
