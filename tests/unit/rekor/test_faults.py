"""A log that cannot be asked, refuses, or answers with what is no entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatch_sign.remote.limits import NetworkLimits
from hatch_sign_sigstore.rekor import log as module

from ...transparency_log import ENTRIES, logging
from ..services.https_server import Answer
from .asking import HUSH, attest, refusal, seal, signed


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMITS", NetworkLimits(connect=30.0, read=0.5, total=60.0, attempts=2, first_pause=0.001))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(503), "did not answer, or failed"),
        (Answer(500, HUSH.encode()), "did not answer, or failed"),
        (Answer(201, b"{}" * 50, fault="cut"), "cut the connection in the middle of its answer 2 times"),
        (Answer(201, b"{}" * 50, fault="stall"), "did not answer in time 2 times"),
        (Answer(201, fault="vanish"), "cut the connection 2 times"),
    ],
)
def test_a_log_that_fails_is_asked_again_and_then_given_up(answer: Answer, reason: str) -> None:
    with logging() as log:
        log.service.scripted += [answer] * 2
        assert reason in refusal(log)
        assert len(log.service.requests) == 2
        log.service.scripted += [answer]
        attest(log, signed(seal()))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), "does not take the entry (404)"),
        (Answer(401), "does not take the entry (401)"),
        (Answer.of(400, {"message": HUSH}), "does not take the entry (400)"),
        (Answer(201, b"not JSON"), "answered wrongly: the answer is not JSON"),
        (Answer.of(201, {}), "answered wrongly: the answer has 0 entries, expected one"),
        (Answer.of(201, {"a": {}, "b": {}}), "answered wrongly: the answer has 2 entries, expected one"),
        (Answer.of(201, {"a": []}), "answered wrongly: the entry is not an object"),
        (Answer.of(201, {"a": {}}), "answered wrongly: the entry lacks body"),
        (Answer(409), "has the entry already, and does not say where"),
        (Answer.of(409, {}, Location="https://elsewhere.example/"), "has the entry already, and does not say where"),
        (Answer.of(409, {}, Location=f"{ENTRIES}/../../secrets"), "has the entry already, and does not say where"),
        (Answer.of(409, {}, Location=f"https://elsewhere.example/{'ab' * 32}"), "does not take the entry (404)"),
    ],
)
def test_a_log_that_answers_wrongly_is_asked_no_more(answer: Answer, reason: str) -> None:
    with logging() as log:
        log.service.scripted.append(answer)
        assert reason in refusal(log)
        assert len(log.service.requests) == (2 if "elsewhere.example/a" in str(answer.headers) else 1)


def test_a_signature_that_does_not_hold_is_not_entered() -> None:
    good = signed(seal())
    with logging() as log:
        assert "does not take the entry (400)" in refusal(log, replace(good, digest=bytes(32)))
        assert log.bodies == []
