"""Statements: what they name, and what they may not leave open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatch_sign.formats.intoto import ARTIFACT_CLAIM, Statement, encode_statement, parse_statement
from hatch_sign.values.errors import MalformedError, UnsupportedError

from .vectors import CLAIM, SUBJECT, statement

SHA256 = SUBJECT.digests["sha256"]


def parse(**changes: Any) -> Statement:  # noqa: ANN401 - JSON
    return parse_statement(json.dumps(statement(**changes)).encode())


def subject(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    table: dict[str, Any] = {"name": "a", "digest": {"sha256": SHA256.hex()}}
    return table | changes


def test_reads_both_versions() -> None:
    expected = Statement({SUBJECT.name: {"sha256": SHA256}}, CLAIM, {})
    assert parse() == expected
    assert parse(_type="https://in-toto.io/Statement/v0.1") == expected
    assert parse(predicate=None) == expected
    assert parse(predicate={"any": ["thing"]}).predicate == {"any": ["thing"]}


def test_reads_every_hash_of_the_table_and_passes_over_others() -> None:
    digests = {name: digest.hex() for name, digest in SUBJECT.digests.items()} | {"gitCommit": "ab", "sha1": "x"}
    assert parse(subject=[subject(digest=digests, mediaType="text/plain")]).subjects == {"a": dict(SUBJECT.digests)}


def test_writes_one_spelling() -> None:
    written = encode_statement(Statement({"b": {"sha256": b"\1"}, "a": {"sha512": b"\2", "sha256": b"\3"}}, CLAIM, {}))
    assert json.loads(written)["subject"] == [
        {"name": "a", "digest": {"sha256": "03", "sha512": "02"}},
        {"name": "b", "digest": {"sha256": "01"}},
    ]
    assert written.startswith(b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"03"')


def test_reads_what_it_wrote() -> None:
    made = Statement({"ü/b": {"sha256": SHA256}, "a": dict(SUBJECT.digests)}, ARTIFACT_CLAIM, {"x": 1})
    assert parse_statement(encode_statement(made)) == made


def test_does_not_write_names_that_are_not_unicode() -> None:
    with pytest.raises(UnsupportedError, match=r"^a\\udcff cannot be named in a statement.*; rename it$"):
        encode_statement(Statement({"a\udcff": {"sha256": SHA256}}, CLAIM, {}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"_type": "https://in-toto.io/Statement/v2"}, "the statement is of the unknown type"),
        ({"_type": None}, "the statement lacks _type"),
        ({"more": 1}, "the statement has the unknown member more"),
        ({"subject": None}, "the statement's subject is not an array"),
        ({"subject": []}, "the statement names no artifact"),
        ({"subject": [subject(name=str(n)) for n in range(1025)]}, ".*subject has 1025 items, expected at most 1024"),
        ({"subject": [subject(), subject()]}, "the statement names a twice"),
        ({"subject": [subject(name=None)]}, r"the statement's subject\[0\] lacks name"),
        ({"subject": [subject(digest={})]}, r"the statement's subject\[0\] has no digest by sha256, sha384, sha512"),
        ({"subject": [subject(digest={"sha1": "00" * 20})]}, r"the statement's subject\[0\] has no digest by"),
        ({"subject": [subject(digest={"sha256": "00" * 31})]}, ".*digest.sha256 is not 32 bytes"),
        ({"subject": [subject(digest={"sha256": SHA256.hex().upper()})]}, ".* is not 32 bytes in lower-case hexadecimal"),
        ({"subject": [subject(digest={"sha256": "é" * 64})]}, ".* is not 32 bytes in lower-case hexadecimal"),
        ({"subject": [subject(digest={"sha256": 1})]}, ".* is not 32 bytes in lower-case hexadecimal"),
        ({"subject": [subject(digest={str(n): "00" for n in range(17)})]}, ".* has 17 digests, expected at most 16"),
        ({"subject": [subject(more=1)]}, r"the statement's subject\[0\] has the unknown member more"),
        ({"predicateType": None}, "the statement lacks predicateType"),
        ({"predicate": []}, "the statement's predicate is not an object"),
    ],
)  # fmt: skip
def test_refuses(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^{reason}"):
        parse(**changes)
