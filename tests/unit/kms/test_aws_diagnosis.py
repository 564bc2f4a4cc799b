"""What `doctor` is told of a reference to AWS KMS, from the outside in."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import ConfigurationError, PluginError
from hatch_sign_kms.aws import AwsBackend
from tests.peers.kms.aws.rig import settings
from tests.peers.kms.faults import Fault, Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFERENCE = "awskms:///alias/release"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Lend a service that refuses everybody, and the settings of a user of it."""
    with proxied("http://127.0.0.1:9") as proxy:
        for name, value in settings(proxy.url, tmp_path).items():
            monkeypatch.setenv(name, value)
        body = json.dumps({"__type": "AccessDeniedException"}).encode()
        proxy.faults.append(Fault(status=400, body=body, times=99))
        yield proxy


def diagnose(**environ: str) -> list[tuple[str, str, str]]:
    context = RunContext(environ, on_warning=pytest.fail)
    return [
        (each.status, each.subject, f"{each.found}; {each.remedy}") for each in AwsBackend().diagnose(REFERENCE, context)
    ]


@pytest.mark.usefixtures("service")
def test_the_permission_that_is_missing_ends_it() -> None:
    *before, (status, subject, text) = diagnose(AWS_REGION="eu-central-1")
    assert [each[:2] for each in before] == [("ok", "client"), ("ok", "region"), ("ok", "credential")]
    assert (status, subject) == ("failure", "key")
    assert "the permission kms:GetPublicKey is missing" in text


@pytest.mark.usefixtures("service")
def test_without_a_credential_nothing_is_asked(service: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert diagnose(AWS_REGION="eu-central-1")[-1][:2] == ("failure", "credential")
    assert service.requests == []


@pytest.mark.usefixtures("service")
def test_a_profile_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    status, subject, text = diagnose()[-1]
    assert (status, subject) == ("failure", "credential")
    assert "the profile does not exist; check AWS_PROFILE" in text


def test_without_the_extra_it_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"boto3", "botocore"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setitem(sys.modules, "botocore", None)
    assert diagnose() == [
        (
            "failure",
            "client",
            'awskms: references need the package boto3, which is not installed; pip install "hatch-sign-kms[aws]"',
        )
    ]
    with pytest.raises(PluginError, match="need the package boto3"):
        AwsBackend().open(REFERENCE, RunContext({}, on_warning=pytest.fail)).__enter__()


def test_what_names_no_key_is_misuse() -> None:
    with pytest.raises(ConfigurationError, match="names no key"):
        list(AwsBackend().diagnose("awskms:///", RunContext({}, on_warning=pytest.fail)))
