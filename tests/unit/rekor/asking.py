"""Signatures to be entered, and a log asked about them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.contract import Evidence, WitnessRequest
from hatch_sign.custody.context import RunContext
from hatch_sign.formats.dsse import Envelope, encode_envelope, pre_authentication_encoding
from hatch_sign.formats.strict_json import encode_json_text
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import WitnessError
from hatch_sign_sigstore.rekor import RekorLogs

if TYPE_CHECKING:
    from ...transparency_log import TransparencyLog

HUSH = "hush-hush"
CONTEXT = RunContext({}, on_warning=lambda _: None)


def seal(algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256, scheme: Scheme = Scheme.ECDSA_SHA256, which: int = 0) -> KeySeal:
    return KeySeal(private_key(algorithm, which), scheme)


def signed(by: KeySeal, data: bytes = b"the artifact") -> WitnessRequest:
    """Return what a witness is told of a message signature."""
    digest = hashlib.new(by.scheme.hash or "", data).digest()
    return WitnessRequest(by.sign_digest(digest), digest, by.scheme, by.public_key)


def enveloped(by: KeySeal, payload: bytes = b"{}") -> WitnessRequest:
    """Return what a witness is told of a statement in an envelope."""
    kind = "application/vnd.in-toto+json"
    message = pre_authentication_encoding(kind, payload)
    signature = by.sign(message)
    envelope = encode_json_text(encode_envelope(Envelope(payload, kind, signature)))
    digest = hashlib.new(by.scheme.hash or "sha512", message).digest()
    return WitnessRequest(signature, digest, by.scheme, by.public_key, (), envelope)


def attest(log: TransparencyLog, request: WitnessRequest, root: dict[str, Any] | None = None) -> Evidence:
    trusted = json.dumps(root or log.trusted_root()).encode()
    with RekorLogs().connect_under(log.url, trusted, CONTEXT) as witness:
        return witness.attest(request)


def refusal(log: TransparencyLog, request: WitnessRequest | None = None, root: dict[str, Any] | None = None) -> str:
    """Return why nothing came of asking, held to what every error promises."""
    with pytest.raises(WitnessError) as caught:
        attest(log, request or signed(seal()), root)
    assert_presentable(caught.value, [HUSH])
    assert caught.value.message.startswith(f"log {log.url} ")
    return caught.value.message.removeprefix(f"log {log.url} ")
