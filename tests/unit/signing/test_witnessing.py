"""Several authorities as one: the order, who is passed over, whom nobody would believe, and what may be done without."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.model import Configuration, VerifySettings
from hatch_sign.contract import Evidence
from hatch_sign.registry import Registry
from hatch_sign.signing.witnessing import MOST_FAILURES, FirstThatAnswers, MayFail, Timestamping, attested
from hatch_sign.values.errors import ConfigurationError, WitnessError
from tests.authority import Authority, chain_pem, make_tsa
from tests.unit.services.https_server import Answer
from tests.unit.witnesses.stamping_server import Listener, request_of, stamping

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import Witness, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind

STAMP = Evidence("timestamp", b"stamp")
OTHERS = Authority("Somebody Else's Root")


@dataclass
class Scripted:
    """A witness that answers as it is told: with evidence, which holds or not, or by an exception; the last one stays."""

    answers: list[Evidence | Exception]
    holds: bool = True
    asked: int = 0
    kind: EvidenceKind = "timestamp"

    def attest(self, request: WitnessRequest) -> Evidence:
        del request
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        del request, evidence
        if not self.holds:
            message = "it is wrong"
            raise WitnessError(message)


@dataclass
class Run:
    """What a configuration makes of addresses."""

    listener: Listener = field(default_factory=Listener)
    stack: ExitStack = field(default_factory=ExitStack)

    def timestamping(self, folder: Path, roots: Path | str | None) -> Timestamping:
        configuration = Configuration(None, folder, verify=VerifySettings(timestamp_roots=roots))
        return Timestamping(configuration, Registry(), self.listener.context, self.stack)


def failing(message: str = "it is down", remedy: str = "") -> Scripted:
    return Scripted([WitnessError(message, remedy=remedy)])


def test_the_next_is_asked_where_one_fails_or_answers_wrongly() -> None:
    down, wrong, broken, good = failing(), Scripted([STAMP], holds=False), Scripted([KeyError("secret")]), Scripted([STAMP])
    never = Scripted([STAMP])
    assert FirstThatAnswers([down, wrong, broken, good, never]).attest(request_of()) is STAMP
    assert [each.asked for each in (down, wrong, broken, good, never)] == [1, 1, 1, 1, 0]


def test_where_none_answers_it_is_said_what_each_did() -> None:
    witnesses: list[Witness] = [
        failing("one is down", "wait"),
        Scripted([KeyError("secret")]),
        failing("two is down", "wait"),
    ]
    with pytest.raises(WitnessError) as caught:
        FirstThatAnswers(witnesses).attest(request_of())
    assert caught.value.message == "no witness vouched for the signature: one is down; KeyError; two is down"
    assert caught.value.remedy == "wait"


def test_one_that_fails_again_and_again_is_passed_over_and_that_is_said_once() -> None:
    warnings: list[str] = []
    down, good = failing("the first is down"), Scripted([STAMP])
    both = FirstThatAnswers([down, good], warnings.append)
    for _ in range(10):
        assert both.attest(request_of()) is STAMP
    assert (down.asked, good.asked) == (MOST_FAILURES, 10)
    (warning,) = warnings
    assert warning.startswith("the first is down; after 3 such failures in a row, it is not asked again in this run")


def test_one_that_answers_in_between_is_not_passed_over() -> None:
    down = WitnessError("it is down")
    moody, good = Scripted([down, down, STAMP, down, down, STAMP]), Scripted([STAMP])
    both = FirstThatAnswers([moody, good])
    for _ in range(6):
        both.attest(request_of())
    assert (moody.asked, good.asked) == (6, 4)


def test_who_is_passed_over_is_still_named_where_all_fail() -> None:
    warnings: list[str] = []
    down = failing()
    alone = FirstThatAnswers([down], warnings.append)
    for _ in range(5):
        with pytest.raises(WitnessError, match="no witness vouched for the signature: it is down"):
            alone.attest(request_of())
    assert down.asked == MOST_FAILURES
    assert warnings == []  # the error says it


def test_a_witness_that_may_fail_is_done_without_and_that_is_said() -> None:
    listener = Listener()
    assert attested(MayFail(failing("it is down", "wait"), listener.context), request_of()) is None
    assert listener.warnings == ["it is down; wait; signed without a timestamp, as `timestamp-optional` allows"]
    assert attested(MayFail(Scripted([STAMP]), listener.context), request_of()) is STAMP
    with pytest.raises(WitnessError):
        attested(failing(), request_of())


def test_a_run_that_is_given_up_is_no_reason_to_do_without() -> None:
    listener = Listener()
    listener.context.stop()
    with pytest.raises(WitnessError, match="it is down"):
        attested(MayFail(failing(), listener.context), request_of())


def test_without_addresses_there_is_no_witness_and_no_warning(tmp_path: Path) -> None:
    run = Run()
    assert run.timestamping(tmp_path, None).witnesses(()) == ()
    assert run.listener.warnings == []


def test_only_an_authority_that_will_be_believed_is_believed(tmp_path: Path) -> None:
    holder = make_tsa("ecdsa-p256")
    (tmp_path / "roots.pem").write_bytes(chain_pem(holder.root))
    run = Run()
    with run.stack, stamping(holder=holder) as good, stamping(holder=OTHERS.holder("TSA", usage="timestamping")) as other:
        timestamping = run.timestamping(tmp_path, tmp_path / "roots.pem")
        (both,) = timestamping.witnesses((other.url, good.url))
        evidence = both.attest(request_of())
        both.check(request_of(), evidence)
        assert (other.count, good.count) == (1, 1)
        (alone,) = timestamping.witnesses((other.url,))
        with pytest.raises(WitnessError, match="nobody will believe it: the timestamp is by no configured authority"):
            alone.attest(request_of())
        with pytest.raises(WitnessError, match="not by any of the configured witnesses"):
            both.check(request_of(b"another"), evidence)
    assert run.listener.warnings == []


def test_an_expired_authority_is_not_believed() -> None:
    holder = make_tsa("ecdsa-p256")
    authority = holder.authority
    assert authority is not None
    begins, ends = (holder.certificate.not_valid_before_utc.replace(year=year) for year in (2020, 2021))
    expired = authority.holder("Expired TSA", usage="timestamping", not_before=begins, not_after=ends)
    run = Run()
    with run.stack, stamping(holder=expired) as server:
        (witness,) = run.timestamping(None, chain_pem(holder.root).decode()).witnesses((server.url,))  # type: ignore[arg-type] # no file is read
        with pytest.raises(WitnessError, match="nobody will believe it: the timestamp is by no configured authority"):
            witness.attest(request_of())


def test_without_roots_it_is_said_once_that_nobody_checks_the_authority(tmp_path: Path) -> None:
    run = Run()
    with run.stack, stamping() as one, stamping() as two:
        timestamping = run.timestamping(tmp_path, None)
        for addresses in ((one.url, two.url), (two.url,)):
            (witness,) = timestamping.witnesses(addresses)
            witness.attest(request_of())
    (warning,) = run.listener.warnings
    assert warning.startswith("`timestamp-roots` is not configured")


def test_roots_that_cannot_be_read_end_it_before_anything_is_signed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"verify\.timestamp-roots: "):
        Run().timestamping(tmp_path, tmp_path / "missing.pem").witnesses(("http://127.0.0.1/",))


def test_one_authority_of_two_signatures_is_one_and_is_spared_as_one(tmp_path: Path) -> None:
    run = Run()
    with run.stack, stamping() as server:
        timestamping = run.timestamping(tmp_path, None)
        (first,), (second,) = timestamping.witnesses((server.url,)), timestamping.witnesses((server.url,), optional=True)
        server.script(*[Answer(403)] * 3)
        for _ in range(3):
            with pytest.raises(WitnessError, match="refused"):
                first.attest(request_of())
        assert attested(second, request_of()) is None
    assert server.count == 3
