"""Answers of a Vault, and a key behind them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import ObservedContext
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.public_keys import encode_public_key_pem
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.faults import Fault, Proxy

TOKEN = "vault-token-of-the-test"  # noqa: S105 - what no error may show
KEYS, SIGN, LOOK = "GET /v1/transit/keys/release", "POST /v1/transit/sign/release", "GET /v1/auth/token/lookup-self"
DIGEST = bytes(32)
DENIED = "1 error occurred:\n\t* permission denied\n\n"
PEM = encode_public_key_pem(private_key(KeyAlgorithm.ECDSA_P256).public_key()).decode()


def answer(server: Proxy, matches: str, status: int, content: object, times: int = 99, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    server.faults.append(Fault(status=status, body=body, headers=headers, matches=matches, times=times))


def refusal(*texts: str) -> dict[str, list[str]]:
    return {"errors": [*texts]}


def key(**changes: object) -> dict[str, Any]:
    versions = {"1": {"public_key": PEM, "creation_time": "2026-01-02T03:04:05Z"}}
    described = {"type": "ecdsa-p256", "latest_version": 1, "keys": versions, "supports_signing": True, "derived": False}
    return {"data": {**described, "exportable": False, "allow_plaintext_backup": False, "imported_key": False, **changes}}


def signature(value: object) -> dict[str, Any]:
    return {"data": {"signature": value}}


def context_of(server: Proxy, **environ: str) -> ObservedContext:
    settings = {"VAULT_ADDR": server.url, "VAULT_TOKEN": TOKEN, **environ}
    return ObservedContext(RunContext(settings, on_warning=pytest.fail))


def describe(server: Proxy, **environ: str) -> Any:  # noqa: ANN401 - a signer, its protection read as well
    with VaultBackend().open("hashivault://release", context_of(server, **environ)) as signer:
        return signer, signer.protection


def sign(server: Proxy, *, scheme: Scheme = Scheme.ECDSA_SHA256) -> bytes:
    with VaultBackend().open("hashivault://release", context_of(server)) as signer:
        return signer.sign_digest(DIGEST, scheme)
