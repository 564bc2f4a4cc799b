"""Attestations: made by an identity alone, read strictly, and over one wheel or sdist."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.registry import Registry
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import ConfigurationError, MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_sigstore.pep740.attestation import LARGEST, PROVENANCE, PUBLISH, encode_attestation, parse_attestation
from hatch_sign_sigstore.pep740.producer import AttestationProducer

from .crafted_sigstore import IDENTITY, NOW, github_claims, new_key, statement
from .judging import ARTIFACT, NAME, find, judge, rule_for, sigstore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hatch_sign.contract import LogVersion
    from hatch_sign.values.artifacts import Release

SUBJECT = Subject(NAME, len(ARTIFACT), {"sha256": hashlib.sha256(ARTIFACT).digest()})
PREDICATE = {"buildDefinition": {"buildType": "https://example.com/build"}, "runDetails": {"builder": {"id": "x"}}}
CALLER = IDENTITY.replace("release.yml", "ci.yml")


@dataclass
class CraftedSeal:
    """A run that signs by the crafted instance, as somebody in a workflow."""

    options: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] | None = None
    config: str = IDENTITY
    now: datetime = NOW
    release: Release | None = None
    logs: list[str] = field(default_factory=list)
    broken: Callable[[dict[str, Any]], object] = lambda bundle: bundle

    def sign_artifact(self, digest: bytes) -> bytes:
        raise AssertionError(digest)

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        self.logs.append(log)
        leaf = sigstore().certify(claims=github_claims(config=self.config))
        bundle = sigstore().statement_bundle(statement, leaf)
        self.broken(bundle)
        return json.dumps(bundle).encode()


def attest(seal: CraftedSeal | None = None, subject: Subject = SUBJECT) -> bytes:
    return AttestationProducer().sign_by_bundle([subject], seal or CraftedSeal())


def attestation_over(payload: bytes) -> bytes:
    return encode_attestation(parse_bundle(json.dumps(sigstore().statement_bundle(payload)).encode()))


def test_the_format_is_registered_under_its_name() -> None:
    format_ = Registry().format("pep740")
    assert (format_.kind, format_.suffix) == ("sidecar", ".publish.attestation")


# --- making them


def test_an_attestation_has_the_shape_of_pep_740_and_is_trusted() -> None:
    seal = CraftedSeal()
    table = json.loads(attest(seal))
    assert seal.logs == ["v1"]
    assert {name: set(value) for name, value in table.items() if isinstance(value, dict)} == {
        "verification_material": {"certificate", "transparency_entries"},
        "envelope": {"statement", "signature"},
    }
    assert (table["version"], len(table["verification_material"]["transparency_entries"])) == (1, 1)
    assert json.loads(base64.b64decode(table["envelope"]["statement"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": NAME, "digest": {"sha256": hashlib.sha256(ARTIFACT).hexdigest()}}],
        "predicateType": PUBLISH,
        "predicate": {},
    }
    judged = judge(rule_for(sigstore()), json.dumps(table).encode(), format="pep740")
    assert (judged.verdict, judged.time, judged.warnings) == (Verdict.TRUSTED, NOW, ())


def test_a_provenance_is_attested_where_it_is_asked_for() -> None:
    seal = CraftedSeal(options={"pep740-predicate": "provenance"}, provenance=PREDICATE)
    data = attest(seal)
    claimed = json.loads(base64.b64decode(json.loads(data)["envelope"]["statement"]))
    assert (claimed["predicateType"], claimed["predicate"]) == (PROVENANCE, PREDICATE)
    assert judge(rule_for(sigstore()), data, format="pep740").verdict is Verdict.TRUSTED


def test_no_key_makes_an_attestation() -> None:
    producer, key = AttestationProducer(), new_key().public_key()
    assert producer.schemes(key) == ()
    for attempt in (lambda: producer.choose_schemes(key, {}), lambda: producer.sign(SUBJECT, None)):  # type: ignore[arg-type]  # never read
        with pytest.raises(UnsupportedError, match=r"PyPI takes no keys: .*Fulcio identity; set `key = \"sigstore:\"`"):
            attempt()


@pytest.mark.parametrize(
    ("seal", "name", "error", "problem"),
    [
        (CraftedSeal(), "demo.exe", UnsupportedError, r"demo\.exe is neither a wheel nor an sdist.*include"),
        (CraftedSeal(), "demo-1.0.zip", UnsupportedError, "neither a wheel nor an sdist"),
        (CraftedSeal({"pep740-predicate": "provenance"}), NAME, UnsupportedError, "this run claims none"),
        (CraftedSeal({"pep740-predicate": "other"}), NAME, ConfigurationError, "expected `publish` or `provenance`"),
        (CraftedSeal({"trusted-publisher": "demo"}), NAME, ConfigurationError, "expected OWNER/NAME/WORKFLOW.yml"),
    ],
)
def test_what_cannot_be_attested_is_refused_before_it_is_signed(
    seal: CraftedSeal, name: str, error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        attest(seal, Subject(name, SUBJECT.size, SUBJECT.digests))
    assert seal.logs == []


def test_a_log_without_a_time_of_its_own_is_refused_with_the_reason() -> None:
    def drop(bundle: dict[str, Any]) -> None:
        del bundle["verificationMaterial"]["tlogEntries"][0]["inclusionPromise"]

    with pytest.raises(
        UnsupportedError, match="no signed time, and an attestation has no place for a timestamp instead; sign"
    ):
        attest(CraftedSeal(broken=drop))


def test_a_bundle_without_a_log_entry_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="and the bundle does not"):
        attest(CraftedSeal(broken=lambda bundle: bundle["verificationMaterial"].pop("tlogEntries")))


# --- identities that PyPI would refuse


def test_a_reusable_workflow_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(
        UnsupportedError, match=r"PyPI would refuse .*reusable workflow .*release\.yml.* which .*ci\.yml.* called"
    ):
        attest(CraftedSeal(config=CALLER))
    data = attest(CraftedSeal({"allow-reusable-workflow": True}, config=CALLER))
    judged = judge(rule_for(sigstore()), data, format="pep740")
    assert judged.verdict is Verdict.TRUSTED
    assert "PyPI refuses such attestations" in judged.warnings[0]


def test_a_bundle_by_a_reusable_workflow_needs_no_warning() -> None:
    bundle = sigstore().message_bundle(ARTIFACT, sigstore().certify(claims=github_claims(config=CALLER)))
    assert judge(rule_for(sigstore()), bundle).warnings == ()


@pytest.mark.parametrize(
    ("publisher", "problem"),
    [
        ("example/demo/ci.yml", ""),
        ("example/demo/release.yml", "its workflow is .*ci.yml@.*, expected .*release.yml for the Trusted Publisher"),
        (
            "example/other/ci.yml",
            "it was made in https://github.com/example/demo, expected https://github.com/example/other",
        ),
        ("example/demo/i.yml", "its workflow is"),
    ],
)
def test_the_trusted_publisher_is_the_workflow_that_was_started(publisher: str, problem: str) -> None:
    seal = CraftedSeal({"trusted-publisher": publisher}, config=CALLER)
    if not problem:
        assert find(attest(seal), format="pep740").problem is None
        return
    with pytest.raises(UnsupportedError, match=problem):
        attest(seal)


# --- reading them


def changed(**changes: object) -> bytes:
    """Return an attestation with members changed: ``a__b`` names the member ``b`` of ``a``; None takes one out."""
    table = json.loads(attest())
    for path, value in changes.items():
        *above, name = path.split("__")
        holder = table[above[0]] if above else table
        holder[name] = value
    return json.dumps(table).encode()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 2}, "is of version 2, expected 1"),
        ({"version": True}, "version is not an integer"),
        ({"version": "1"}, "version is not an integer"),
        ({"version": None}, "lacks version"),
        ({"more": 1}, "the unknown member more"),
        ({"envelope__more": 1}, "envelope has the unknown member more"),
        ({"verification_material__timestamps": []}, "unknown member timestamps"),
        ({"verification_material__transparency_entries": []}, "transparency_entries is empty"),
        ({"verification_material__transparency_entries": [1]}, "transparency_entries is not an object"),
        ({"verification_material__certificate": "AAAA"}, "certificate in the bundle is not one"),
        ({"verification_material__certificate": "A"}, "not canonical base64"),
        ({"envelope__statement": "e30="}, "the statement lacks"),
        ({"envelope__signature": ""}, "not canonical base64"),
        ({"envelope": []}, "envelope is not an object"),
    ],
)
def test_what_is_no_attestation_is_malformed(changes: dict[str, object], problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        find(changed(**changes), format="pep740")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is not JSON that hatch-sign accepts: Expecting value"),
        (b"{}", "lacks version"),
        (b"[" * 100_000, "nested more than 64 deep"),
        (b'{"version":1,"version":1}', "the same member twice"),
        (b" " * (LARGEST + 1), f"has {LARGEST + 1} bytes, expected at most {LARGEST}"),
        (b"\xff", "not UTF-8 at byte 0"),
    ],
)
def test_hostile_bytes_are_malformed(data: bytes, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        parse_attestation(data)


def two_subjects() -> bytes:
    table = json.loads(statement(NAME, ARTIFACT, PUBLISH))
    table["subject"].append({**table["subject"][0], "name": "other-1.0.tar.gz"})
    return json.dumps(table).encode()


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (two_subjects(), "the statement names 2 artifacts, expected one"),
        (
            statement(NAME, ARTIFACT, PUBLISH).replace(b"Statement/v1", b"Statement/v0.1"),
            "expected https://in-toto.io/Statement/v1",
        ),
        (statement(NAME, ARTIFACT, PUBLISH).replace(b"sha256", b"sha512"), "is not 64 bytes"),
    ],
)
def test_a_statement_that_is_not_over_one_artifact_is_malformed(payload: bytes, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        find(attestation_over(payload), format="pep740")


def test_base64_in_lines_is_read_as_older_peers_wrote_it() -> None:
    table = json.loads(attest())
    certificate = base64.b64decode(table["verification_material"]["certificate"])
    table["verification_material"]["certificate"] = base64.encodebytes(certificate).decode()
    assert judge(rule_for(sigstore()), json.dumps(table).encode(), format="pep740").verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    ("artifact", "predicate_type", "problem"),
    [
        (b"another artifact", PUBLISH, Verdict.HASH_MISMATCH),
        (ARTIFACT, "https://example.com/tested/v1", Verdict.UNTRUSTED),
        (ARTIFACT, "https://sigstore.dev/cosign/sign/v1", Verdict.UNTRUSTED),
    ],
)
def test_an_attestation_of_something_else_is_not_one(artifact: bytes, predicate_type: str, problem: Verdict) -> None:
    assert find(attestation_over(statement(NAME, artifact, predicate_type)), format="pep740").problem is problem


def test_an_attestation_of_what_is_no_distribution_is_malformed() -> None:
    data = attestation_over(statement("demo.exe", ARTIFACT, PUBLISH))
    finding = find(data, format="pep740", name="demo.exe")
    assert (finding.problem, finding.detail) == (Verdict.MALFORMED, "attestations are for wheels and sdists alone")


def test_a_flipped_signature_is_untrusted() -> None:
    table = json.loads(attest())
    signature = bytearray(base64.b64decode(table["envelope"]["signature"]))
    signature[-1] ^= 1
    table["envelope"]["signature"] = base64.b64encode(signature).decode()
    finding = find(json.dumps(table).encode(), format="pep740")
    assert finding.problem is Verdict.UNTRUSTED
    assert "the signature is not by the ecdsa-p256 key of the certificate" in finding.detail
