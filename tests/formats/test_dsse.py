"""Envelopes: the bytes that are signed, and the JSON round them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.formats.dsse import Envelope, encode_envelope, parse_envelope, pre_authentication_encoding
from hatch_sign.values.errors import MalformedError

TYPES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ENVELOPE: dict[str, Any] = {"payload": "QQ==", "payloadType": "t", "signatures": [{"sig": "Qg=="}]}


def test_the_example_of_the_specification() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_of_bytes_not_characters() -> None:
    assert pre_authentication_encoding("é", b"\xff\xff") == b"DSSEv1 2 \xc3\xa9 2 \xff\xff"


@given(TYPES, st.binary(max_size=40), TYPES, st.binary(max_size=40))
def test_no_two_contents_are_signed_alike(kind: str, payload: bytes, other_kind: str, other_payload: bytes) -> None:
    same = pre_authentication_encoding(kind, payload) == pre_authentication_encoding(other_kind, other_payload)
    assert same == ((kind, payload) == (other_kind, other_payload))


@given(TYPES, st.binary(min_size=1), st.binary(min_size=1, max_size=200))
def test_reads_what_it_wrote(kind: str, payload: bytes, signature: bytes) -> None:
    envelope = Envelope(payload, kind, signature)
    assert parse_envelope(encode_envelope(envelope), at="it") == envelope


def test_the_key_id_is_written_empty_and_not_read() -> None:
    assert encode_envelope(Envelope(b"A", "t", b"B"))["signatures"] == [{"sig": "Qg==", "keyid": ""}]
    named = ENVELOPE | {"signatures": [{"sig": "Qg==", "keyid": "whose"}]}
    assert parse_envelope(named, at="it") == parse_envelope(ENVELOPE, at="it") == Envelope(b"A", "t", b"B")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signatures": []}, r"it.signatures\[0\] is not an object"),
        ({"signatures": [{"sig": "Qg=="}] * 2}, "it.signatures has 2 items, expected at most 1"),
        ({"signatures": None}, "it.signatures is not an array"),
        ({"signatures": [{}]}, r"it.signatures\[0\] lacks sig"),
        ({"signatures": [{"sig": "Qg==", "cert": "x"}]}, r"it.signatures\[0\] has the unknown member cert"),
        ({"signatures": [{"sig": "Qg==", "keyid": 1}]}, r"it.signatures\[0\].keyid is not a string"),
        ({"signatures": [{"sig": "QR=="}]}, r"it.signatures\[0\].sig is not canonical base64"),
        ({"payload": "Q-=="}, "it.payload is not canonical base64"),
        ({"payload": None}, "it lacks payload"),
        ({"payloadType": 1}, "it.payloadType is not a string"),
        ({"more": 1}, "it has the unknown member more"),
    ],
)
def test_refuses(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^{reason}"):
        parse_envelope(ENVELOPE | changes, at="it")
