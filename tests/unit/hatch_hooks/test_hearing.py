"""How publishing is told through Hatch: everything escaped, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.building.voice import PlainVoice
from hatch_sign.contract import Published, ReadBack, ReleaseFile
from hatch_sign.hatch_hooks.hearing import Hearing
from hatch_sign.publishing.reports import DestinationReport, PublishingReport, Withheld
from hatch_sign.values.errors import PublishError
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.reports import conclude

FILE = ReleaseFile("a.whl", Path("a.whl"), 1, b"")


def report(verdict: Verdict, **more: Any) -> PublishingReport:  # noqa: ANN401 - of Outcome
    outcome = Outcome("a.whl", "sigstore", "sigstore", verdict, **more)
    return PublishingReport((conclude(Artifact(Path("a.whl"), Path()), [outcome], ("sigstore",), set()),))


@pytest.fixture
def hearing() -> Hearing:
    return Hearing(PlainVoice({}))


def test_verdicts_and_what_nobody_gets_are_told(hearing: Hearing, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(Verdict.TRUSTED, warnings=("soon\x1b over",))
    found.withheld = (Withheld("b.p7s", "is untrusted"),)
    hearing.verified(found)
    assert capsys.readouterr().err.splitlines() == [
        "hatch-sign: a.whl: sigstore is trusted",
        "hatch-sign: warning: soon\\x1b over",
        "hatch-sign: warning: b.p7s is not published: is untrusted",
    ]


def test_a_rejection_is_told_with_its_reason(hearing: Hearing, capsys: pytest.CaptureFixture[str]) -> None:
    hearing.verified(report(Verdict.UNTRUSTED, detail="nobody knows the key"))
    assert capsys.readouterr().err == "hatch-sign:   a.whl: sigstore is untrusted: nobody knows the key\n"


def test_what_a_place_does_is_told(hearing: Hearing, capsys: pytest.CaptureFixture[str]) -> None:
    place = DestinationReport(
        "index", "index", "https://index.example", drops=(Withheld("a.whl.p7s", "only distributions"),)
    )
    place.read_back = (ReadBack("a.whl", "same"), ReadBack("b.whl", "unreadable", "no digest"))
    hearing.begins(place, [FILE, FILE])
    hearing.settled(place, Published("a.whl", "uploaded"))
    hearing.settled(place, Published("b.whl", "present", "the same bytes"))
    hearing.settled(place, Published("a.whl.p7s", "kept-back"))
    hearing.ended(place)
    assert capsys.readouterr().err.splitlines() == [
        "hatch-sign: to index (https://index.example): 1 of 2 files",
        "hatch-sign: index does not keep a.whl.p7s: only distributions",
        "hatch-sign: index: uploaded a.whl",
        "hatch-sign: index: present b.whl: the same bytes",
        "hatch-sign: index: 1 read back, the same bytes",
        "hatch-sign: warning: index: b.whl could not be read back: no digest",
    ]


def test_what_a_dry_run_would_do_is_told(hearing: Hearing, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(Verdict.TRUSTED)
    found.files = (FILE, ReleaseFile("a.whl.p7s", Path("a.whl.p7s"), 1, b"", "cms", "a.whl"))
    drops = (Withheld("a.whl.p7s", "only distributions"),)
    failed = DestinationReport("github", "github", error=PublishError("no token"))
    found.destinations += [DestinationReport("index", "index", drops=drops), failed]
    hearing.foretell(found)
    assert capsys.readouterr().err.splitlines() == [
        "hatch-sign: would publish a.whl to index",
        "hatch-sign: index would not keep a.whl.p7s: only distributions",
    ]
