"""What a diagnosis consists of: checks, each with what was found and what to do, and how errors become checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hatch_sign.contract.backends import Symptom
from hatch_sign.custody.gated import unchained
from hatch_sign.values.errors import ConfigurationError, CustodyError, HatchSignError

CONFIGURATION_IS_WRONG, KEY_FAILED = ConfigurationError.exit_code, CustodyError.exit_code


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; a failure has the exit code of its kind: 2 for what is configured, 3 for the rest."""

    symptom: Symptom
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found about the configuration, or about one key, whose reference stands here without its query."""

    about: str
    checks: tuple[Check, ...]


def ok(subject: str, found: str, remedy: str = "") -> Check:
    """Return a check that found what should be there; `remedy` says how to see more."""
    return Check(Symptom("ok", subject, found, remedy))


def warning(subject: str, found: str, remedy: str = "") -> Check:
    """Return a check that found what does not keep the key from signing, and may soon, or elsewhere."""
    return Check(Symptom("warning", subject, found, remedy))


def failures(subject: str, error: HatchSignError) -> list[Check]:
    """Return an error as a check, and a configuration's mistakes as one check each."""
    # Nothing was verified here, so that nothing is rejected either: what a rule refuses, the configuration demands.
    code = KEY_FAILED if error.exit_code == KEY_FAILED else CONFIGURATION_IS_WRONG
    found = error.problems if isinstance(error, ConfigurationError) and error.problems else (error.message,)
    return [Check(Symptom("failure", subject, each, error.remedy), code) for each in found]


def attempt(subject: str, look: Callable[[], Iterable[Check]], *, about: str) -> tuple[list[Check], bool]:
    """Return what `look` finds, and whether it came to its end; what it raises is the last check, under `subject`.

    Of an exception that is not ours only the type is named: its text may hold a credential.
    """
    found: list[Check] = []

    def collect() -> None:
        for check in look():
            found.append(check)  # noqa: PERF402 - what was found before an exception is kept

    try:
        unchained(collect, subject=about)
    except HatchSignError as error:
        return [*found, *failures(subject, error)], False
    except SystemExit:
        ended = CustodyError(f"{about}: a plugin wanted to end the program")
        return [*found, *failures(subject, ended)], False
    return found, True


def exit_code(examinations: Sequence[Examination]) -> int:
    """Return 0 where nothing failed, 2 where the configuration or a reference is wrong, 3 for every other failure.

    A mistake goes before a failed key: trying again cures one of them only.
    """
    codes = {check.exit_code for examination in examinations for check in examination.checks}
    return CONFIGURATION_IS_WRONG if CONFIGURATION_IS_WRONG in codes else max(codes, default=0)
