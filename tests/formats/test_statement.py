"""The statement over a release: what it is called, what it says, and how many artifacts it takes."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from hatch_sign.formats.statement.producer import StatementProducer, package_url
from hatch_sign.formats.statement.verifier import StatementVerifier
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict

from .vectors import P256, SUBJECT, encode, message_bundle

PRODUCER, VERIFIER = StatementProducer(), StatementVerifier()
SEAL = KeySeal(P256, Scheme.ECDSA_SHA256, release=Release("Example.App", "1.0"))
KEYS = [P256.public_key()]


def subjects(count: int) -> list[Subject]:
    return [Subject(f"file-{number:05}", 0, {"sha256": number.to_bytes(32, "big")}) for number in range(count)]


def payload(written: bytes) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(base64.b64decode(json.loads(written)["dsseEnvelope"]["payload"]))
    return table


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("Example.App", "1.0", "example_app-1.0"),
        ("a-_.b", "1.0-rc1", "a_b-1.0rc1"),
        ("a", "1!2.0+local.1", "a-1!2.0+local.1"),
        ("a", "not a version/..", "a-not_a_version_.."),
        ("../a/b\x00c", "..", "__a_b_c-_"),
    ],
)
def test_is_called_as_the_wheel_is(name: str, version: str, expected: str) -> None:
    assert PRODUCER.filename(Release(name, version)) == f"{expected}.intoto.sigstore.json"


def test_says_what_is_released() -> None:
    assert payload(PRODUCER.sign([SUBJECT], SEAL)) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": SUBJECT.name, "digest": {"sha256": SUBJECT.digests["sha256"].hex()}}],
        "predicateType": "https://in-toto.io/attestation/release/v0.1",
        "predicate": {"purl": "pkg:pypi/example-app@1.0"},
    }


def test_names_its_subjects_in_one_order() -> None:
    forwards, backwards = subjects(3), subjects(3)[::-1]
    assert payload(PRODUCER.sign(forwards, SEAL)) == payload(PRODUCER.sign(backwards, SEAL))


def test_takes_1024_artifacts_and_answers_for_each() -> None:
    many = subjects(1024)
    parsed = VERIFIER.parse(PRODUCER.sign(many, SEAL))
    many[7] = replace(many[8], name=many[7].name)
    problems = {name: finding.problem for name, finding in VERIFIER.check(parsed, many, KEYS).items()}
    assert len(problems) == 1024
    assert {name: problem for name, problem in problems.items() if problem} == {"file-00007": Verdict.HASH_MISMATCH}


@pytest.mark.parametrize("count", [0, 1025])
def test_takes_no_other_number(count: int) -> None:
    with pytest.raises(UnsupportedError, match=f"over 1 to 1024 artifacts, not {count}; use the format checksums"):
        PRODUCER.sign(subjects(count), SEAL)


def test_does_not_name_two_artifacts_alike() -> None:
    with pytest.raises(UnsupportedError, match="cannot name two artifacts alike"):
        PRODUCER.sign([SUBJECT, SUBJECT], SEAL)


def test_is_over_one_release() -> None:
    with pytest.raises(UnsupportedError, match="do not agree on one release; sign one release at a time"):
        PRODUCER.sign([SUBJECT], replace(SEAL, release=None))


def test_a_message_signature_is_no_statement() -> None:
    with pytest.raises(MalformedError, match=r"^the bundle holds a message signature, expected a statement"):
        VERIFIER.parse(encode(message_bundle()))


def test_a_purl_is_quoted() -> None:
    assert package_url(Release("A_b.c", "1!2.0+local")) == "pkg:pypi/a-b-c@1%212.0%2Blocal"
