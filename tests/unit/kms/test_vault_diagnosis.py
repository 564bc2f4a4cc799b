"""What `doctor` is told of a reference to Vault or OpenBao, from the outside in, without a login."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import SecretRequest, Symptom
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import ObservedContext
from hatch_sign.values.errors import ConfigurationError, PluginError
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.faults import Fault, Proxy, proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

REFERENCE = "openbao://release"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process
    with proxied("http://127.0.0.1:9") as proxy:
        yield proxy


def diagnose(**environ: str) -> tuple[list[tuple[str, ...]], list[SecretRequest]]:
    context = ObservedContext(RunContext(environ, on_warning=pytest.fail))
    found = list(VaultBackend().diagnose(REFERENCE, context))
    assert context.untouched
    symptoms = [each for each in found if isinstance(each, Symptom)]
    texts: list[tuple[str, ...]] = [(each.status, each.subject, f"{each.found}; {each.remedy}") for each in symptoms]
    return texts, [each for each in found if isinstance(each, SecretRequest)]


@pytest.mark.parametrize(
    ("status", "content", "phrase"),
    [
        (200, {"sealed": True}, "it is sealed; have it unsealed"),
        (200, {}, "what answers is no such server"),
        (200, [], "gave an answer that is not one of this service"),
        (503, {"errors": ["x"]}, "did not answer, or failed 2 times"),
    ],
)
def test_a_server_that_cannot_be_used_ends_it(server: Proxy, status: int, content: object, phrase: str) -> None:
    server.faults.append(Fault(status=status, body=json.dumps(content).encode(), times=99))
    symptoms, requests = diagnose(BAO_ADDR=server.url)
    assert [each[:2] for each in symptoms] == [("ok", "address"), ("ok", "client"), ("failure", "server")]
    assert phrase in symptoms[-1][2]
    assert requests == []


def test_a_server_that_can_be_used_is_told_with_what_logs_in(server: Proxy) -> None:
    body = json.dumps({"sealed": False, "version": "2.7.2"}).encode()
    server.faults.append(Fault(body=body, times=99))
    symptoms, (request,) = diagnose(BAO_ADDR=server.url, BAO_ROLE_ID="role")
    assert symptoms[2] == ("ok", "server", "unsealed, version 2.7.2; ")
    assert symptoms[3][:2] == ("warning", "key")
    assert request.variables == ("BAO_SECRET_ID",)
    assert [line.split()[1] for line in server.requests] == ["/v1/sys/seal-status"]


def test_no_address_is_the_first_failure() -> None:
    ((status, subject, text),), requests = diagnose()
    assert (status, subject, requests) == ("failure", "address", [])
    assert "set BAO_ADDR" in text


def test_a_token_in_clear_is_warned_of() -> None:
    symptoms, _ = diagnose(BAO_ADDR="http://openbao.invalid")
    assert symptoms[0][:2] == ("warning", "address")
    assert symptoms[0][2].endswith("the token crosses the network in clear; use https")


def test_without_the_extra_it_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hvac.adapters", None)
    symptoms, _ = diagnose(BAO_ADDR="http://127.0.0.1:9")
    assert symptoms[-1][:2] == ("failure", "client")
    assert symptoms[-1][2].endswith('package hvac, which is not installed; pip install "hatch-sign-kms[vault]"')
    context = RunContext({"BAO_ADDR": "http://127.0.0.1:9"}, on_warning=pytest.fail)
    with pytest.raises(PluginError, match="need the package hvac"):
        VaultBackend().open(REFERENCE, context).__enter__()


def test_what_names_no_key_is_misuse() -> None:
    with pytest.raises(ConfigurationError, match="names no key"):
        list(VaultBackend().diagnose("openbao://", RunContext({}, on_warning=pytest.fail)))
