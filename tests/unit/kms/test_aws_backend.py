"""AWS KMS: what is wanted before a key opens, and where a credential comes from."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.remote import NetworkLimits
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, CustodyError, SecretRejectedError, SecretUnavailableError
from hatch_sign.values.public_keys import encode_public_key
from hatch_sign_kms.aws import AwsBackend, client
from tests.peers.kms.aws.rig import settings
from tests.peers.kms.faults import Fault, Proxy, proxied

from .aws_rig import ARN, ID, KEY, SECRET, public_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# --- the backend ------------------------------------------------------------------------------------------------------


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


# --- the login --------------------------------------------------------------------------------------------------------


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
    monkeypatch.setattr(client, "LIMITS", NetworkLimits(read=0.5, first_pause=0.0, attempts=2))
    proxy.faults.append(Fault("stall", times=99))
    with pytest.raises(CustodyError, match="did not answer, or failed 2 times"):
        AwsBackend().open(f"awskms:///{ARN}", context).__enter__()
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("reference", [f"awskms:///{ARN}", f"awskms:///{ID}", "awskms:///"])
def test_a_new_key_needs_an_alias(bare: RunContext, reference: str) -> None:
    with pytest.raises(ConfigurationError, match="a new key is named by its alias"):
        AwsBackend().generate_key(reference, KeyAlgorithm.ECDSA_P256, bare)
