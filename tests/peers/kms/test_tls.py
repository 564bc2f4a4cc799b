"""Private authorities, as the users of each SDK name them; a server that nobody vouches for is not asked twice."""

from __future__ import annotations

import os
import ssl
import urllib.request
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import CustodyError, KeyNotFoundError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign_kms.aws import AwsBackend
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.aws import rig as aws
from tests.peers.kms.vault import rig as vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    with vault.openbao_over_tls(tmp_path_factory.mktemp("tls")) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process


def context_of(server: tuple[str, Path], folder: Path, **environ: str) -> RunContext:
    return RunContext({**vault.settings(server[0], folder), **environ}, on_warning=pytest.fail)


def test_an_authority_that_is_named_is_trusted(server: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(KeyNotFoundError, match="has no such engine or login"):  # and so it was reached
        VaultBackend().open("openbao://x", context_of(server, tmp_path, BAO_CACERT=str(server[1]))).__enter__()


def test_what_a_server_behind_tls_says_of_a_key_is_vouched_for(server: tuple[str, Path], tmp_path: Path) -> None:
    mounted = {"TRANSIT_SECRET_ENGINE_PATH": "signing"}
    context = context_of(server, tmp_path, BAO_CACERT=str(server[1]), **mounted)
    client = ssl.create_default_context(cafile=str(server[1]))
    mount = urllib.request.Request(f"{server[0]}/v1/sys/mounts/signing", b'{"type": "transit"}')  # noqa: S310 - loopback
    mount.add_header("X-Vault-Token", vault.ROOT_TOKEN)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=client))
    opener.open(mount, timeout=30).close()
    made = VaultBackend().generate_key("openbao://release", KeyAlgorithm.ECDSA_P256, context)
    assert made.protection.level is ProtectionLevel.PROVIDER_ASSERTED
    assert made.protection.summary == "in software, not exportable; OpenBao says so"


def test_one_that_is_not_named_is_not(server: tuple[str, Path], tmp_path: Path) -> None:
    expected = "showed a TLS certificate that is not trusted; name the authority's file in VAULT_CACERT or BAO_CACERT"
    with pytest.raises(CustodyError, match=f"openbao://x: OpenBao {expected}"):
        VaultBackend().open("openbao://x", context_of(server, tmp_path)).__enter__()


def test_awss_sdk_trusts_nobody_else_either(
    server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    environ = aws.settings("", tmp_path)
    environ.pop("AWS_ENDPOINT_URL_KMS")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    reference = f"awskms://{server[0].removeprefix('https://')}/alias/release"
    context = RunContext(environ, on_warning=pytest.fail)
    expected = "AWS KMS showed a TLS certificate that is not trusted; name the authority's file in AWS_CA_BUNDLE"
    with pytest.raises(CustodyError, match=expected):
        AwsBackend().open(reference, context).__enter__()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(server[1]))
    with pytest.raises(CustodyError, match=r"not one of this service \(307\)"):  # OpenBao, asked for AWS KMS
        AwsBackend().open(reference, context).__enter__()
