"""Calls and answers, held against what cosign sends and against bytes of no use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import MalformedError
from hatch_sign_kms.executables import answers
from hatch_sign_kms.executables.calls import Call, encode_call, parse_call

RPC = {"keyVersion": "", "remoteVerification": False}
OPENED = {"protocolVersion": "v1", "keyResourceID": "key", "hashFunc": 5, "rpcOptions": RPC}
SENT_BY_COSIGN = {
    "initOptions": OPENED,
    "methodName": "signMessage",
    "signMessage": {"signOptions": {"rpcOptions": RPC, "messageOptions": {"digest": None}}},
}
"""What ``PluginClient`` of sigstore 1.10.8 writes for a key that it hashes nothing for."""

CALLS = [
    Call("publicKey", "key"),
    Call("defaultAlgorithm", "key"),
    Call("supportedAlgorithms", "key"),
    Call("createKey", "key", algorithm="ecdsa-p256"),
    Call("signMessage", "key", "sha256"),
    Call("signMessage", "key", None),
    Call("signMessage", "key", "sha384", digest=bytes(48)),
    Call("verifySignature", "key", "sha512", digest=bytes(64), signature=b"signature"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.method)
def test_a_call_is_read_as_it_was_written(call: Call) -> None:
    assert parse_call(encode_call(call)) == call


@given(st.text())
def test_any_key_survives(key: str) -> None:
    if key.isascii():
        assert parse_call(encode_call(Call("publicKey", key))).key == key


def test_what_is_written_is_of_the_schema() -> None:
    written = json.loads(encode_call(Call("signMessage", "key", "sha384", digest=b"\0" * 48)))
    options = {"rpcOptions": RPC, "messageOptions": {"digest": "A" * 64, "hashFunc": 6}}
    assert written["signMessage"] == {"signOptions": options}
    assert written["initOptions"] == {**OPENED, "hashFunc": 6}


def sent(**messages: object) -> str:
    content = json.loads(json.dumps(SENT_BY_COSIGN))
    content["signMessage"]["signOptions"]["messageOptions"] = messages
    return json.dumps(content)


def test_what_cosign_writes_is_read() -> None:
    assert parse_call(json.dumps(SENT_BY_COSIGN)) == Call("signMessage", "key", "sha256")
    # Opened for SHA-256, and the digest is one of SHA-384.
    assert parse_call(sent(digest="A" * 64)) == Call("signMessage", "key", "sha384", digest=bytes(48))
    assert parse_call(sent(hashFunc=0)) == Call("signMessage", "key", None)


def changed(path: str, value: object) -> str:
    content: Any = json.loads(json.dumps(SENT_BY_COSIGN))
    table, names = content, path.split(".")
    for name in names[:-1]:
        table = table[name]
    table[names[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[]", "the call is not an object"),
        ("{}", "the call lacks initOptions"),
        ('{"initOptions": {}, "initOptions": {}}', "same member twice"),
        (changed("initOptions.protocolVersion", "v2"), "by version v2 of the protocol, expected v1"),
        (changed("initOptions.protocolVersion", 1), "initOptions.protocolVersion is not a string"),
        (changed("initOptions.keyResourceID", None), "initOptions lacks keyResourceID"),
        (changed("initOptions.hashFunc", 3), "initOptions.hashFunc is 3, expected 5"),
        (changed("initOptions.hashFunc", "5"), "initOptions.hashFunc is not an integer"),
        (changed("signMessage", []), "the call.signMessage is not an object"),
        (sent(digest="AAAA"), "a digest of 3 bytes is of no hash"),
        (sent(digest="A" * 64, hashFunc=5), "a digest of 48 bytes is not one of sha256"),
        (sent(digest="A" * 64, hashFunc=0), "a digest of 48 bytes is not one of no hash"),
        (sent(digest="A" * 1000), "digest is not canonical base64 of 1 to 64 bytes"),
        (sent(digest="?"), "digest is not canonical base64"),
        (sent(hashFunc=17), "messageOptions.hashFunc is 17"),
    ],
)
def test_what_is_not_of_the_schema_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_call(text)
    assert reason in caught.value.message


@given(
    st.text()
    | st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps)
)
def test_no_text_does_anything_but_be_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_call(text)


def test_answers_are_read_as_they_were_written() -> None:
    assert answers.parse_public_key_answer(answers.encode_public_key_answer(b"PEM")) == b"PEM"
    assert answers.parse_created_key(answers.encode_public_key_answer(b"PEM", method="createKey")) == b"PEM"
    assert answers.parse_signature(answers.encode_signature(b"signature")) == b"signature"
    assert answers.parse_algorithms(answers.encode_names("supportedAlgorithms", ["a", "b"])) == ["a", "b"]
    assert json.loads(answers.encode_names("defaultAlgorithm", "a")) == {"defaultAlgorithm": {"defaultAlgorithm": "a"}}
    assert json.loads(answers.encode_done("verifySignature")) == {"verifySignature": {}}


def test_a_refusal_is_told_from_an_answer() -> None:
    with pytest.raises(answers.Refusal, match="no"):
        answers.parse_signature(answers.encode_error("no"))
    assert not answers.is_public_key_answer(answers.encode_error("no"))
    assert answers.is_public_key_answer(answers.encode_public_key_answer(b"PEM"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{}",
        b'{"signMessage": null}',
        b'{"signMessage": {"signature": ""}}',
        b'{"signMessage": {"signature": 1}}',
        b'{"publicKey": {"publicKeyPEM": "AAAA"}}',
        b'{"signMessage": {"signature": "AAAA"}}x',
        b'{"errorMessage": 1}',
    ],
)
def test_an_answer_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        answers.parse_signature(data)


def test_a_list_of_anything_else_is_refused() -> None:
    with pytest.raises(MalformedError, match="something other than strings"):
        answers.parse_algorithms(b'{"supportedAlgorithms": {"supportedAlgorithms": [1]}}')
