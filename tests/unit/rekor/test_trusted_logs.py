"""Whose entries are believed: logs that the trusted root names, while their keys were in use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from hatch_sign.values.errors import ConfigurationError, MalformedError
from hatch_sign_sigstore.rekor import RekorLogs

from ...transparency_log import b64, logging
from .asking import CONTEXT, attest, refusal, seal, signed


def test_a_log_that_the_trusted_root_does_not_name_is_not_believed() -> None:
    with logging() as log, logging() as other:
        assert "is by a log that the trusted root does not name" in refusal(log, root=other.trusted_root())


def test_a_key_is_believed_while_it_was_in_use() -> None:
    with logging() as log:
        root = log.trusted_root()
        validity = root["tlogs"][0]["publicKey"]["validFor"]
        validity["end"] = "2026-01-02T00:00:00Z"
        assert "was not in use" in refusal(log, root=root)
        validity["end"] = "2999-01-01T00:00:00Z"
        attest(log, signed(seal()), root)
        validity["start"] = "2998-01-01T00:00:00+01:00"
        assert "was not in use" in refusal(log, root=root)


def test_a_client_trust_configuration_holds_a_root() -> None:
    with logging() as log:
        attest(log, signed(seal()), {"mediaType": "any", "trustedRoot": log.trusted_root(), "signingConfig": {}})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda root: root.pop("tlogs"), "the trusted root has no log whose entries could be checked"),
        (lambda root: root["tlogs"][0].pop("publicKey"), r"tlogs\[0\].publicKey is not an object"),
        (lambda root: root["tlogs"][0]["publicKey"].update(rawBytes="%"), "rawBytes is not canonical base64"),
        (lambda root: root["tlogs"][0]["publicKey"].update(validFor={"start": "soon"}), "start is no time with an offset"),
        (lambda root: root["tlogs"][0]["publicKey"].update(validFor={"end": "2026-01-01"}), "end is no time with an offset"),
        (lambda root: root["tlogs"][0]["logId"].update(keyId=b64(b"of Rekor v2")), "has no log whose entries"),
        (lambda root: root["tlogs"].__setitem__(slice(None), root["tlogs"] * 65), "has 65 items, expected at most 64"),
        (
            lambda root: root["tlogs"][0].update(
                publicKey={"rawBytes": b64(b"no key")}, logId={"keyId": b64(hashlib.sha256(b"no key").digest())}
            ),
            "publicKey is no public key",
        ),
    ],
)
def test_what_is_no_trusted_root_is_told_of(change: Callable[[dict[str, Any]], object], reason: str) -> None:
    with logging() as log:
        root = log.trusted_root()
    change(root)
    with pytest.raises(MalformedError, match=reason):
        RekorLogs().connect_under(log.url, json.dumps(root).encode(), CONTEXT)


def test_without_a_root_nothing_is_connected() -> None:
    with pytest.raises(ConfigurationError, match="has no trusted root to be believed under"):
        RekorLogs().connect("https://log.example", CONTEXT)
