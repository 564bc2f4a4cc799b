"""A proxy that wants a login is said once, by every provider, and nothing of the service's credential goes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions as api

from hatch_sign.custody.context import RunContext
from hatch_sign.remote import FailureKind
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import CustodyError
from hatch_sign_kms.aws import AwsBackend
from hatch_sign_kms.azure import AzureBackend
from hatch_sign_kms.google.translate import classify
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.aws.rig import SECRET_KEY, settings
from tests.unit.remote.refusing_proxy import refusing_proxy

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract.backends import Backend

TOKEN = "vault-token-of-the-test"  # noqa: S105 - what no error may show
REFERENCES = [
    (AwsBackend(), "awskms:///alias/release"),
    (AzureBackend(), "azurekms://release.vault.azure.net/signing"),
    (VaultBackend(), "hashivault://release"),
]


@pytest.mark.parametrize(("backend", "reference"), REFERENCES, ids=["aws", "azure", "vault"])
def test_it_is_not_asked_again(backend: Backend, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = settings("https://kms.invalid", tmp_path)
    environ |= {"VAULT_ADDR": "https://vault.invalid", "VAULT_TOKEN": TOKEN, "NO_PROXY": "", "no_proxy": ""}
    with refusing_proxy(407) as proxy:
        for name, value in (environ | {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url}).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CustodyError, match=r"the proxy wants a login \(407\); set the proxy") as caught:
            backend.open(reference, RunContext(environ, on_warning=pytest.fail)).__enter__()
        assert len(proxy.asked) == 1
    assert_presentable(caught.value, [TOKEN, SECRET_KEY])


def test_grpc_says_it_in_its_own_words() -> None:
    text = "failed to connect to all addresses; last error: UNKNOWN: HTTP proxy returned response code {}"
    failures = [classify(api.ServiceUnavailable(text.format(status))) for status in (407, 502)]
    assert [failure.kind for failure in failures if failure] == [FailureKind.INVALID, FailureKind.UNAVAILABLE]
