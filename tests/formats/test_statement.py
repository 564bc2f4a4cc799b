"""The statement over a release: what it is called, what it says, and how many artifacts it takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from hatch_sign.formats.slsa import PLAIN_BUILD_TYPE, PLAIN_BUILDER, Build, encode_provenance
from hatch_sign.formats.statement.claims import package_url
from hatch_sign.formats.statement.producer import StatementProducer
from hatch_sign.formats.statement.verifier import StatementVerifier
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.errors import ConfigurationError, MalformedError, UnsupportedError
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


SERVICE = encode_provenance(Build("https://type.example/1", "https://builder.example/1"))
PLAIN = encode_provenance(Build(PLAIN_BUILD_TYPE, PLAIN_BUILDER))


@pytest.mark.parametrize(
    ("provenance", "options", "claimed"),
    [
        (SERVICE, {}, True),
        (SERVICE, {"provenance": "auto"}, True),
        (SERVICE, {"provenance": "always"}, True),
        (SERVICE, {"provenance": "never"}, False),
        (PLAIN, {}, False),
        (PLAIN, {"provenance": "auto"}, False),
        (PLAIN, {"provenance": "always"}, True),
        (PLAIN, {"provenance": "never"}, False),
        (None, {"provenance": "always"}, False),
    ],
)
def test_says_how_the_release_was_built(provenance: dict[str, Any] | None, options: dict[str, str], claimed: bool) -> None:  # noqa: FBT001 - a case
    written = PRODUCER.sign([SUBJECT], replace(SEAL, provenance=provenance, options=options))
    said = payload(written)
    if claimed:
        assert (said["predicateType"], said["predicate"]) == ("https://slsa.dev/provenance/v1", provenance)
    else:
        assert said["predicateType"] == "https://in-toto.io/attestation/release/v0.1"
        assert said["predicate"] == {"purl": "pkg:pypi/example-app@1.0"}
    found = VERIFIER.check(VERIFIER.parse(written), [SUBJECT], KEYS)[SUBJECT.name]
    assert found.problem is None
    by = "plain" if provenance is PLAIN else "https://builder.example/1"
    assert [facts.claim.endswith(by) if claimed else facts.claim == "" for facts in found.facts] == [True]


def test_a_changed_provenance_is_not_signed() -> None:
    document = json.loads(PRODUCER.sign([SUBJECT], replace(SEAL, provenance=SERVICE)))
    said = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(b"builder.example/1", b"builder.example/2")
    document["dsseEnvelope"]["payload"] = base64.b64encode(said).decode()
    found = VERIFIER.check(VERIFIER.parse(json.dumps(document).encode()), [SUBJECT], KEYS)[SUBJECT.name]
    assert (found.problem, found.facts) == (Verdict.UNTRUSTED, ())


def test_no_other_value_says_anything() -> None:
    with pytest.raises(ConfigurationError, match="`provenance` is 'sometimes', expected one of auto, always, never"):
        PRODUCER.choose_schemes(P256.public_key(), {"provenance": "sometimes"})
    with pytest.raises(ConfigurationError, match="`provenance` is 'sometimes'"):
        PRODUCER.sign([SUBJECT], replace(SEAL, options={"provenance": "sometimes"}))
    assert PRODUCER.choose_schemes(P256.public_key(), {"provenance": "never"}) == PRODUCER.schemes(P256.public_key())


@dataclass(frozen=True)
class Bundling:
    """A seal of a run whose bundles another makes: it shows what it was asked to sign."""

    release: Release | None
    provenance: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = SEAL.now

    def sign_artifact(self, digest: bytes) -> bytes:
        raise AssertionError(digest)

    def sign_statement(self, statement: bytes, *, log: str = "any") -> bytes:
        assert log == "any"
        return statement


@pytest.mark.parametrize("provenance", [None, SERVICE])
def test_another_is_asked_to_sign_the_same_statement(provenance: dict[str, Any] | None) -> None:
    asked = PRODUCER.sign_by_bundle([SUBJECT], Bundling(SEAL.release, provenance))
    written = PRODUCER.sign([SUBJECT], replace(SEAL, provenance=provenance))
    assert json.loads(asked) == payload(written)
    assert PRODUCER.bundle_in(written) == written
    with pytest.raises(UnsupportedError, match="do not agree on one release"):
        PRODUCER.sign_by_bundle([SUBJECT], Bundling(None, provenance))
    with pytest.raises(MalformedError, match="the bundle"):
        PRODUCER.bundle_in(asked)


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
