"""Timestamps for signatures inside artifacts, as ``hatch-sign timestamp`` adds them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

import pytest

import hatch_sign_authenticode
from hatch_sign.contract import Evidence
from hatch_sign.formats import sigstore
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.stamping.asking import Stamping
from hatch_sign.stamping.inside import find_inside
from hatch_sign.stamping.stamping import stamp_release
from hatch_sign.stamping.targets import find_targets
from hatch_sign.values.errors import UsageError, WitnessError
from hatch_sign.verification.presence import Shelf
from tests.authority import DAY, NOW, make_tsa
from tests.formats.stamps import Stamp

from .images import make_image
from .signing import IMAGE, check, sign, signatures_in, with_signatures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hatch_sign.contract import Finding, Format, WitnessRequest
    from hatch_sign.stamping.inside import SignedInside
    from hatch_sign.stamping.stamping import StampingReport

FORMATS: dict[str, Format] = {
    "authenticode": hatch_sign_authenticode.hatch_sign_register_format(),
    "sigstore": sigstore.hatch_sign_register_format(),
}
SHELF = Shelf(FORMATS, None, ())
TIME = NOW - DAY


@dataclass
class Clock:
    """A witness; what it answers may be over something else than it was asked for."""

    kind = "timestamp"
    over: bytes | None = None
    down: bool = False
    asked: list[bytes] = field(default_factory=list)

    def attest(self, request: WitnessRequest) -> Evidence:
        if self.down:
            message = "no authority answers"
            raise WitnessError(message)
        self.asked.append(request.signature)
        return Evidence("timestamp", Stamp(time=TIME, nonce=len(self.asked)).reply(self.over or request.signature))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Accept everything."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "example.exe"
    path.write_bytes(sign(sign(), {"authenticode-nested": True, "authenticode-page-hashes": True}))
    return path


def found(*paths: Path) -> Sequence[SignedInside]:
    return find_inside([str(path) for path in paths], formats=FORMATS, shelf=SHELF)


def stamp(clock: Clock, *paths: Path, renew: bool = False, roots: bool = True) -> StampingReport:
    trusted = (make_tsa().root,) if roots else ()
    return stamp_release(found(*paths), Stamping(clock, (), trusted, NOW, renew))


def test_each_signature_inside_gets_a_timestamp_once(program: Path) -> None:
    clock = Clock()
    (outcome,) = stamp(clock, program).outcomes
    facts = check(program.read_bytes()).facts
    assert (outcome.detail, outcome.time, outcome.warnings) == ("timestamped", TIME, ())
    assert len(clock.asked) == len(facts) == 2
    assert all(parse_timestamp(each.timestamps[0]).vouches_for(each.signature) for each in facts)
    stamped = program.read_bytes()
    (again,) = stamp(clock, program).outcomes
    assert (again.detail, again.time, program.read_bytes()) == ("has a timestamp already", TIME, stamped)
    assert len(clock.asked) == 2


def test_another_is_added_where_it_is_wanted(program: Path) -> None:
    clock = Clock()
    stamp(clock, program)
    stamp(clock, program, renew=True)
    assert [len(facts.timestamps) for facts in check(program.read_bytes()).facts] == [2, 2]


def test_without_roots_it_is_said_that_the_time_proves_nothing(program: Path) -> None:
    (outcome,) = stamp(Clock(), program, roots=False).outcomes
    assert (outcome.time, outcome.warnings) == (
        None, ("its timestamp proves nothing, as no `timestamp-roots` are configured",),
    )  # fmt: skip


def test_files_with_nothing_inside_are_passed_over(program: Path, tmp_path: Path) -> None:
    (tmp_path / "unsigned.exe").write_bytes(IMAGE)
    (tmp_path / "readme.txt").write_bytes(b"nothing")
    assert [inside.artifact.name for inside in found(tmp_path)] == [program.name]
    assert find_targets([str(tmp_path)], formats=FORMATS, shelf=SHELF, found_others=True) == ()
    with pytest.raises(UsageError, match="no signature that takes a timestamp later found beside or in"):
        find_targets([str(tmp_path)], formats=FORMATS, shelf=SHELF)


def test_what_is_broken_is_told_of_and_left(tmp_path: Path) -> None:
    broken = tmp_path / "broken.exe"
    broken.write_bytes(with_signatures(*signatures_in(sign()), image=make_image(sections=(b"other",))))
    before, clock = broken.read_bytes(), Clock()
    report = stamp(clock, broken)
    assert (report.outcomes, clock.asked, broken.read_bytes()) == ((), [], before)
    assert "broken.exe is hash-mismatch: the signature is for a file with" in str(report.failures[0])


def test_a_file_with_signatures_beside_it_stays_as_they_know_it(program: Path) -> None:
    program.with_name(program.name + ".sigstore.json").write_bytes(b"{}")
    before, clock = program.read_bytes(), Clock()
    (outcome,) = stamp(clock, program).outcomes
    assert outcome.detail.startswith("left as it is: the signatures beside it are over these bytes")
    assert (clock.asked, program.read_bytes()) == ([], before)


@pytest.mark.parametrize(
    ("clock", "reason"),
    [
        (Clock(down=True), "no authority answers"),
        (Clock(over=b"another"), "is over another signature|is not over"),
    ],
)
def test_a_timestamp_that_cannot_be_had_changes_nothing(program: Path, clock: Clock, reason: str) -> None:
    before = program.read_bytes()
    report = stamp(clock, program)
    assert report.outcomes == ()
    assert any(each in str(report.failures[0]) for each in reason.split("|")), str(report.failures[0])
    assert program.read_bytes() == before
    assert [path.name for path in program.parent.iterdir()] == [program.name]


def test_a_file_that_changes_meanwhile_is_not_replaced(program: Path) -> None:
    other = sign(options={"authenticode-description": "another"})

    class Slow(Clock):
        def attest(self, request: WitnessRequest) -> Evidence:
            program.write_bytes(other)
            return super().attest(request)

    report = stamp(Slow(), program)
    assert "changed while it was being timestamped" in str(report.failures[0]) or "not well-formed" in str(
        report.failures[0]
    )
    assert program.read_bytes() == other


@pytest.mark.skipif(sys.platform == "win32", reason="modes are what they are on POSIX")
def test_a_program_stays_one(program: Path) -> None:
    program.chmod(0o755)
    stamp(Clock(), program)
    assert program.stat().st_mode & 0o777 == 0o755


def test_a_format_that_fails_is_named(program: Path) -> None:
    class Broken:
        def embed_timestamps(self, *_: object) -> bool:
            raise ValueError

    inside = found(program)[0]
    broken = replace(inside, format=replace(inside.format, producer=Broken))
    report = stamp_release([broken], Stamping(Clock(), (), (), NOW))
    assert "format authenticode failed: ValueError" in str(report.failures[0])


def test_a_format_that_fails_to_look_inside_is_named_and_the_rest_goes_on(program: Path, tmp_path: Path) -> None:
    class Looking:
        def check(self, name: str, source: BinaryIO, keys: Sequence[object]) -> Finding:
            del keys
            if name == "odd.exe":
                raise ValueError
            return check(source.read())

    (tmp_path / "odd.exe").write_bytes(IMAGE)
    formats = {"authenticode": replace(FORMATS["authenticode"], verifier=Looking)}
    inside = find_inside([str(tmp_path)], formats=formats, shelf=SHELF)
    assert sorted(each.artifact.name for each in inside) == ["example.exe", "odd.exe"]
    report = stamp_release(inside, Stamping(Clock(), (), (), NOW))
    assert [outcome.artifact for outcome in report.outcomes] == [program.name]
    (failure,) = report.failures
    assert "odd.exe: format authenticode failed: ValueError; report it to the author of the format" in str(failure)


def test_a_format_that_forgets_the_timestamps_is_named(program: Path) -> None:
    class Forgetful:
        def embed_timestamps(self, source: BinaryIO, target: BinaryIO, choose: object) -> bool:
            del choose
            target.write(source.read())
            return True

    before, inside = program.read_bytes(), found(program)[0]
    forgetful = replace(inside, format=replace(inside.format, producer=Forgetful))
    report = stamp_release([forgetful], Stamping(Clock(), (), (), NOW))
    assert "does not hold the timestamps; report it to the author of the format" in str(report.failures[0])
    assert program.read_bytes() == before
