"""Timestamps in each format that carries them, from the file on disk to the verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.contract import Evidence, WitnessRequest
from hatch_sign.formats import cms, sigstore, statement
from hatch_sign.testing.seals import KeySeal
from hatch_sign.trust.certificate import CertificateKind
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.outcomes import Verdict
from hatch_sign.verification.verifying import verify_release
from tests.authority import Authority, Holder
from tests.formats.stamps import TIME, changed

if TYPE_CHECKING:
    from hatch_sign.contract import Format
    from hatch_sign.values.outcomes import Outcome

DAY = timedelta(days=1)
LATER = TIME + 1000 * DAY
NAMES = ("one.bin", "two.bin", "three.bin")
RELEASE = Release("demo", "1.0")


def authority(title: str) -> Authority:
    return Authority(title, not_before=TIME - 1000 * DAY, not_after=TIME + 100 * DAY)


def holder(above: Authority, usage: Any) -> Holder:  # noqa: ANN401 - of an authority of the tests
    return above.holder("Example", usage=usage, not_before=TIME - DAY, not_after=TIME + DAY)


STAMPING, SIGNING = authority("Timestamping Root"), authority("Code Signing Root")
STAMPER, SIGNER = holder(STAMPING, "timestamping"), holder(SIGNING, "code-signing")

FORMATS: Mapping[str, Format] = {
    found.name: found for found in (each.hatch_sign_register_format() for each in (cms, sigstore, statement))
}


@dataclass(frozen=True)
class Stamper:
    """A witness that stamps what it is shown, or always the same."""

    kind = "timestamp"
    over: bytes | None = None

    def attest(self, request: WitnessRequest) -> Evidence:
        stamp = changed(holder=STAMPER)
        return Evidence("timestamp", stamp.reply(request.signature if self.over is None else self.over))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Take anything: whether what is written holds is what verifying is to find."""


def write(folder: Path, format_: str, *witnesses: Stamper) -> None:
    seal = KeySeal(
        SIGNER.key,
        Scheme.ECDSA_SHA256,
        certificates=SIGNER.certificates,
        now=TIME,
        release=RELEASE,
        options={"bundle-certificate": True},
        witnesses=witnesses,
    )
    subjects = []
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
        subjects.append(Subject(name, len(name), {"sha256": hashlib.sha256(name.encode()).digest()}))
    producer: Any = FORMATS[format_].producer()
    if FORMATS[format_].kind == "aggregate":
        (folder / producer.filename(RELEASE)).write_bytes(producer.sign(subjects, seal))
    else:
        for subject in subjects:
            (folder / (subject.name + FORMATS[format_].suffix)).write_bytes(producer.sign(subject, seal))


def verify(folder: Path, format_: str, *, stamping: tuple[Authority, ...] = (STAMPING,)) -> list[Outcome]:
    """Verify as of years later, and return the outcome of each artifact."""
    table = {"certificate-roots": SIGNING.pem.decode(), "subject": "CN=Example,O=Example Ltd,C=SI"}
    rule = ScopedRule(CertificateKind().parse(table, lambda name: pytest.fail(f"read {name}")), "rule")
    policy = Policy((rule,), (format_,), LATER, tuple(each.certificate for each in stamping))
    artifacts = [Artifact(folder / name, folder) for name in NAMES]
    reports = verify_release(artifacts, policy=policy, formats=FORMATS)
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    assert [report.passed for report in reports] == [outcome.verdict is Verdict.TRUSTED for outcome in outcomes]
    return outcomes


@pytest.mark.parametrize("format_", FORMATS)
def test_a_timestamp_outlives_the_certificate(tmp_path: Path, format_: str) -> None:
    write(tmp_path, format_, Stamper())
    found = verify(tmp_path, format_)
    assert {(outcome.verdict, outcome.time) for outcome in found} == {(Verdict.TRUSTED, TIME)}
    assert len(found) == len(NAMES)


@pytest.mark.parametrize("format_", FORMATS)
def test_without_it_the_signature_ends_with_the_certificate(tmp_path: Path, format_: str) -> None:
    write(tmp_path, format_)
    assert {(outcome.verdict, outcome.time) for outcome in verify(tmp_path, format_)} == {(Verdict.EXPIRED, None)}


@pytest.mark.parametrize("format_", FORMATS)
def test_by_a_stranger_it_is_none(tmp_path: Path, format_: str) -> None:
    write(tmp_path, format_, Stamper())
    for outcome in verify(tmp_path, format_, stamping=(authority("Timestamping Root"),)):
        assert (outcome.verdict, outcome.time) == (Verdict.EXPIRED, None)
        assert "; the timestamp is by no configured authority: " in outcome.detail
    for outcome in verify(tmp_path, format_, stamping=()):
        assert outcome.detail.endswith("; its timestamp proves nothing, as no `timestamp-roots` are configured")


@pytest.mark.parametrize("format_", FORMATS)
def test_one_over_something_else_is_malformed_even_beside_a_good_one(tmp_path: Path, format_: str) -> None:
    write(tmp_path, format_, Stamper(), Stamper(over=b"another signature"))
    for outcome in verify(tmp_path, format_):
        assert (outcome.verdict, outcome.time) == (Verdict.MALFORMED, None)
        assert outcome.detail == "the timestamp is over another signature"
