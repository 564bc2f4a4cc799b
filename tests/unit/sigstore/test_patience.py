from __future__ import annotations

import threading

import pytest

from hatch_sign_sigstore.signing.patience import NoAnswerError, Patience

LONG = 60.0


def never() -> bool:
    return False


def test_what_a_call_returns_or_raises_comes_back() -> None:
    patience = Patience(LONG, stopped=never)
    assert patience.call(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patience.call(lambda: 1 // 0)
    patience.close()


def test_a_call_that_does_not_end_is_left_and_the_next_goes_on() -> None:
    release = threading.Event()
    patience = Patience(0.01, stopped=never)
    with pytest.raises(NoAnswerError):
        patience.call(release.wait)
    assert Patience(LONG, stopped=never).call(lambda: "next") == "next"
    release.set()


def test_nobody_waits_once_the_run_is_given_up() -> None:
    release = threading.Event()
    with pytest.raises(NoAnswerError):
        Patience(LONG, stopped=lambda: True).call(release.wait)
    release.set()


def test_calls_one_after_another_share_a_thread_and_calls_at_once_do_not() -> None:
    patience = Patience(LONG, stopped=never)
    first, second = patience.call(threading.get_ident), patience.call(threading.get_ident)
    assert first == second
    together = threading.Barrier(2)
    met: list[int] = []

    def meet() -> None:
        together.wait(LONG)
        met.append(threading.get_ident())

    threads = [threading.Thread(target=patience.call, args=(meet,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(met)) == 2
