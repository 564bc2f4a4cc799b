"""What a verification objects to, in one line for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.reports import ArtifactReport


def objections(*outcomes: Outcome) -> str:
    return ArtifactReport(Artifact(Path("a.whl"), Path()), outcomes, passed=False).objections


def outcome(verdict: Verdict, detail: str = "", member: str | None = None) -> Outcome:
    return Outcome("a.whl", "sigstore", "sigstore", verdict, detail=detail, member=member)


def test_what_is_good_or_has_nothing_inside_is_no_objection() -> None:
    assert objections(outcome(Verdict.TRUSTED, "by one"), outcome(Verdict.NOT_APPLICABLE, "no binary")) == ""


def test_each_objection_has_its_place_and_reason_escaped() -> None:
    found = objections(outcome(Verdict.UNTRUSTED, "no \x1b rule"), outcome(Verdict.EXPIRED, member="a\n.dll"))
    assert found == "sigstore is untrusted (no \\x1b rule), sigstore in a\\x0a.dll is expired"


def test_of_many_a_few_are_told() -> None:
    found = objections(*[outcome(Verdict.UNSIGNED, member=f"{number}.dll") for number in range(1000)])
    assert found.startswith("sigstore in 0.dll is unsigned, ")
    assert found.endswith(", sigstore in 2.dll is unsigned, and 997 more")


def test_the_files_that_hold_a_signature_are_told_and_none_where_there_is_none() -> None:
    artifact = Path("/dist/a.whl")
    report = ArtifactReport(Artifact(artifact, artifact.parent), (), passed=False)
    beside = replace(outcome(Verdict.TRUSTED), sidecar="/signatures/a.whl.sigstore.json")
    listed = replace(outcome(Verdict.UNTRUSTED), sidecar="/dist/SHA256SUMS", over_list="/dist/SHA256SUMS.p7s")
    assert report.files_of(beside) == (Path("/signatures/a.whl.sigstore.json"),)
    assert report.files_of(listed) == (Path("/dist/SHA256SUMS"), Path("/dist/SHA256SUMS.p7s"))
    assert report.files_of(outcome(Verdict.TRUSTED, member="a.dll")) == (artifact,)
    assert report.files_of(outcome(Verdict.UNSIGNED)) == report.files_of(outcome(Verdict.NOT_APPLICABLE)) == ()
