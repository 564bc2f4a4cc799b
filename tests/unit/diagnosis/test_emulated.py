"""What the emulated token says of itself, and the part of the contract suite that holds every backend to it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.backends.emulated.tokens import create_token, describe_token
from hatch_sign.contract.backends import Diagnoses, SecretRequest, Symptom
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.testing.observed import ObservedContext
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, SecretRejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_sign.contract.backends import BackendContext

PIN, SO_PIN, WRONG = "31-right", "99-officer", "27-wrong"
REFERENCE = "emulated:release/signing"
ABSENT = "emulated:release/nothing"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    environ = {"HATCH_SIGN_HOME": str(tmp_path_factory.mktemp("home")), "HATCH_SIGN_PIN": PIN}
    token = create_token("release", pin=PIN, so_pin=SO_PIN, environ=environ)
    context = RunContext(environ, on_warning=list[str]().append)
    EmulatedBackend().generate_key(REFERENCE, KeyAlgorithm.ECDSA_P256, context)
    return token.path.read_bytes()


@pytest.fixture
def home(tmp_path: Path, made: bytes) -> Path:
    (tmp_path / "tokens").mkdir(mode=0o700)
    token(tmp_path).touch(mode=0o600)
    token(tmp_path).write_bytes(made)
    return tmp_path


def token(home: Path) -> Path:
    return home / "tokens" / "release.token"


def context(home: Path, pin: str = PIN) -> ObservedContext:
    environ = {"HATCH_SIGN_HOME": str(home), "HATCH_SIGN_PIN": pin}
    return ObservedContext(RunContext(environ, on_warning=list[str]().append))


def diagnose(home: Path, reference: str = REFERENCE) -> list[Symptom | SecretRequest]:
    observed = context(home, WRONG)
    found = list(EmulatedBackend().diagnose(reference, observed))
    assert observed.untouched
    return found


def spend(home: Path, tries: int) -> None:
    for _ in range(tries):
        with pytest.raises(SecretRejectedError), EmulatedBackend().open(REFERENCE, context(home, WRONG)):
            pass


def symptoms(found: list[Symptom | SecretRequest]) -> list[tuple[str, str]]:
    return [(each.status, each.subject) for each in found if isinstance(each, Symptom)]


def test_a_token_that_is_well(home: Path) -> None:
    *found, request = diagnose(home)
    assert symptoms(found) == [("ok", "token"), ("ok", "key"), ("ok", "PIN")]
    assert isinstance(request, SecretRequest)
    assert (request.label, request.final_try) == ("emulated token release", False)
    assert describe_token("release", context(home).environ).pin_tries == 3
    assert symptoms(diagnose(home, "emulated:release")) == symptoms(found)


@pytest.mark.parametrize(
    ("reference", "before", "reason"),
    [
        ("emulated:other", [], "there is no such token"),
        (ABSENT, [("ok", "token")], "no such key; keys of this token: signing"),
    ],
)
def test_what_is_not_there_ends_it(home: Path, reference: str, before: list[tuple[str, str]], reason: str) -> None:
    *found, last = diagnose(home, reference)
    assert symptoms(found) == before
    assert isinstance(last, Symptom)
    assert last.status == "failure"
    assert reason in last.found
    assert "make it" in last.remedy


def test_a_damaged_token_ends_it(home: Path) -> None:
    token(home).write_bytes(b"\0" * 4096)
    (last,) = diagnose(home)
    assert isinstance(last, Symptom)
    assert (last.status, last.subject) == ("failure", "token")
    assert "it is damaged, or no token" in last.found


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_token_that_others_may_read_is_warned_of(home: Path) -> None:
    token(home).chmod(0o640)
    found = diagnose(home)
    assert symptoms(found)[:2] == [("ok", "token"), ("warning", "token")]


def test_a_reference_that_is_none_is_refused(home: Path) -> None:
    for reference in ("emulated:", "emulated:release/signing?slot=1", "pooled:x"):
        with pytest.raises(ConfigurationError):
            list(EmulatedBackend().diagnose(reference, context(home)))


def test_tries_that_were_spent_are_told_of(home: Path) -> None:
    spend(home, 1)
    *found, request = diagnose(home)
    assert isinstance(found[-1], Symptom)
    assert (found[-1].status, found[-1].found) == ("warning", "2 of 3 tries are left")
    assert isinstance(request, SecretRequest)
    assert not request.final_try
    spend(home, 1)
    *found, request = diagnose(home)
    assert isinstance(found[-1], Symptom)
    assert found[-1].found == "1 of 3 tries is left"
    assert isinstance(request, SecretRequest)
    assert request.final_try


def test_a_locked_pin_ends_it(home: Path) -> None:
    spend(home, 2)
    permitting = RunContext(context(home, WRONG).environ, on_warning=list[str]().append, spend_final_try=True)
    with pytest.raises(SecretRejectedError), EmulatedBackend().open(REFERENCE, permitting):
        pass
    last = diagnose(home)[-1]
    assert isinstance(last, Symptom)
    assert (last.status, last.subject) == ("failure", "PIN")
    assert "hatch-sign token unlock release" in last.remedy


# --- the contract suite ----------------------------------------------------------------------------------------------


class Contract(BackendContract):
    secrets = (PIN, SO_PIN)


class Broken(EmulatedBackend):
    """Does as the emulated token does, and then something that it must not do."""

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:
        for each in super().diagnose(reference, context):
            yield from self.instead_of(each, context)

    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - for others
        yield each


class TriesTheSecret(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:
        if isinstance(each, SecretRequest):
            context.secret(each)
        yield each


class ShowsTheSecret(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield each
        yield Symptom("ok", "PIN", f"it is {PIN}")


class ForgetsTheSecret(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        if isinstance(each, Symptom):
            yield each


class RequestsAnother(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield each if isinstance(each, Symptom) else SecretRequest("pin", "another token", "emulated:another")


class FailsAlways(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield each
        yield Symptom("failure", "token", "bad luck", "try again")


class GoesOn(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield each
        if isinstance(each, Symptom) and each.status == "failure":
            yield Symptom("ok", "PIN", "all tries are left")


class KnowsNoRemedy(Broken):
    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield Symptom(each.status, each.subject, each.found) if isinstance(each, Symptom) else each


class WarnsOnly(Broken):
    """Shows its keys to nobody before a login."""

    def instead_of(self, each: Symptom | SecretRequest, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 - as above
        yield replace(each, status="warning") if isinstance(each, Symptom) and each.status == "failure" else each


class HasAnAttributeOnly:
    """Is no :class:`Diagnoses`, and looks as if it were one."""

    diagnose = None


def present(home: Path, backend: Any) -> None:  # noqa: ANN401 - some are none
    BackendContract.test_nothing_is_wrong_with_a_key_that_is_there_and_no_secret_is_tried(
        Contract(), backend, REFERENCE, context(home)
    )


def absent(home: Path, backend: Any) -> None:  # noqa: ANN401 - as above
    BackendContract.test_a_key_that_is_not_there_ends_the_diagnosis(Contract(), backend, context(home), ABSENT)


def test_a_backend_that_keeps_the_contract_passes(home: Path) -> None:
    for backend in (EmulatedBackend(), Broken()):
        assert isinstance(backend, Diagnoses)
        present(home, backend)
        absent(home, backend)
    present(home, object())
    absent(home, object())
    with pytest.raises(AssertionError):
        present(home, HasAnAttributeOnly())


@pytest.mark.parametrize("broken", [TriesTheSecret, ShowsTheSecret, ForgetsTheSecret, RequestsAnother, FailsAlways])
def test_a_broken_diagnosis_of_a_key_that_is_there_is_found(home: Path, broken: type[Broken]) -> None:
    with pytest.raises(AssertionError):
        present(home, broken())


def test_a_backend_that_cannot_know_warns(home: Path) -> None:
    class Veiled(Contract):
        shows_keys_without_login = False

    suite = BackendContract.test_a_key_that_is_not_there_ends_the_diagnosis
    suite(Veiled(), WarnsOnly(), context(home), ABSENT)
    with pytest.raises(AssertionError):
        suite(Veiled(), EmulatedBackend(), context(home), ABSENT)


@pytest.mark.parametrize("broken", [ShowsTheSecret, GoesOn, KnowsNoRemedy, WarnsOnly])
def test_a_broken_diagnosis_of_a_key_that_is_absent_is_found(home: Path, broken: type[Broken]) -> None:
    with pytest.raises(AssertionError):
        absent(home, broken())
    with pytest.raises(AssertionError):
        BackendContract.test_a_key_that_is_not_there_ends_the_diagnosis(Contract(), EmulatedBackend(), context(home), None)
