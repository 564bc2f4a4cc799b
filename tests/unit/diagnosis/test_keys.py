from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.diagnosis.checks import Examination, exit_code

from ...contract.sketch_plugins import sketch_registry
from ...contract.sketches.pooled_backend import PIN
from .backends import (
    SECRET,
    AsksForTheSecret,
    Exits,
    GoesOnAfterFailure,
    KeepsTurning,
    LastTry,
    Lists,
    ListsAfterLogin,
    ListsNone,
    ListsSeveral,
    Plain,
    Powerless,
    RaisesOurs,
    RaisesTheVendors,
    Silent,
    TurnsOnce,
    YieldsAnotherStatus,
    YieldsNoText,
    YieldsNothing,
    YieldsText,
)

if TYPE_CHECKING:
    from .conftest import Examine

READY = {"ODD_PIN": SECRET}


def rows(found: Examination) -> list[tuple[str, str]]:
    return [(check.symptom.status, check.symptom.subject) for check in found.checks]


def failure(found: Examination) -> str:
    """Return the one failure, which is the last line."""
    failed = [check.symptom for check in found.checks if check.symptom.status == "failure"]
    assert failed == [found.checks[-1].symptom]
    return f"{failed[0].subject}: {failed[0].found}; {failed[0].remedy}"


def test_a_key_is_seen_from_outside_without_a_login(examine: Examine) -> None:
    found = examine(Lists, environ=READY)
    assert found.about == "odd:key"
    assert rows(found) == [
        ("ok", "reference"),
        ("ok", "plugin"),
        ("ok", "module"),
        ("ok", "PIN of odd token"),
        ("ok", "public key"),
        ("ok", "protection"),
        ("ok", "certificate"),
        ("ok", "formats"),
        ("ok", "login"),
        ("warning", "backend"),
    ]
    assert found.checks[1].symptom.found == "backend.odd of odd-signers 7.1"
    assert exit_code([found]) == 0


def test_a_key_that_is_opened_says_more(examine: Examine) -> None:
    found = examine(Plain, environ=READY, log_in=True)
    assert ("ok", "schemes") in rows(found)
    assert ("ok", "signature") not in rows(found)
    opened = next(check.symptom for check in found.checks if check.symptom.subject == "login")
    assert "4 calls at once" in opened.found
    assert found.checks[-1].symptom.found == "the token is tired"


def test_a_test_signature_opens_the_key_too(examine: Examine) -> None:
    found = examine(Plain, environ=READY, test_signature=True)
    assert ("ok", "signature") in rows(found)
    assert ("ok", "login") in rows(found)


def test_a_query_is_named_and_not_shown(examine: Examine) -> None:
    found = examine(Silent, reference=f"odd:key?pin-source=env:{SECRET.replace('-', '_')}&module-path=x")
    assert found.about == "odd:key"
    assert found.checks[0].symptom.found.endswith("it sets pin-source, module-path")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (f"odd:key?pin-value={SECRET}", "holds a PIN in its text"),
        (f"odd://user:{SECRET}@host", "holds a password before its host"),
        (SECRET, "not of the form SCHEME:PATH"),
    ],
)
def test_a_reference_that_is_wrong_ends_it_and_is_not_repeated(examine: Examine, reference: str, reason: str) -> None:
    found = examine(Plain, reference=reference, log_in=True)
    assert reason in failure(found)
    assert len(found.checks) == 1
    assert exit_code([found]) == 2


def test_a_plugin_that_is_missing_ends_it(examine: Examine) -> None:
    found = examine(reference="pkcs11:token=release", registry=sketch_registry())
    assert failure(found).startswith("plugin: no backend named 'pkcs11' is installed; install hatch-sign-pkcs11 from where")
    assert exit_code([found]) == 2


def test_the_first_failure_of_a_backend_ends_it(examine: Examine) -> None:
    found = examine(GoesOnAfterFailure, environ=READY, log_in=True)
    assert failure(found) == "token: it is gone; put it back"
    assert len(found.checks) == 3
    assert exit_code([found]) == 3


@pytest.mark.parametrize(
    ("backend", "reason", "code"),
    [
        (RaisesTheVendors, "odd:key: the backend failed (VendorError)", 3),
        (RaisesOurs, "the cable is out; plug it in", 3),
        (Exits, "odd:key: a plugin wanted to end the program", 3),
        (YieldsNothing, "odd:key: the backend failed (TypeError)", 3),
        (AsksForTheSecret, "backend.odd of odd-signers 7.1 breaks the plugin contract: its diagnosis asked for a secret", 2),
        (YieldsText, "its diagnosis holds a str that is neither a Symptom nor a SecretRequest", 2),
        (YieldsAnotherStatus, "its diagnosis holds a Symptom", 2),
        (YieldsNoText, "its diagnosis holds a Symptom", 2),
    ],
)
def test_a_backend_that_fails_is_one_line(examine: Examine, backend: type[Silent], reason: str, code: int) -> None:
    found = examine(backend, environ=READY, log_in=True)
    assert f"backend: {reason}" in failure(found) or reason in failure(found)
    assert ("ok", "login") not in rows(found)
    assert exit_code([found]) == code


def test_without_its_secret_a_key_is_not_opened_but_seen_from_outside(examine: Examine) -> None:
    found = examine(Lists, log_in=True)
    assert ("failure", "PIN of odd token") in rows(found)
    assert ("ok", "login") not in rows(found)
    assert ("ok", "public key") in rows(found)
    assert exit_code([found]) == 3
    asked = examine(Lists, can_ask=True)
    assert ("warning", "PIN of odd token") in rows(asked)
    assert exit_code([asked]) == 0


def test_a_last_try_is_warned_of(examine: Examine) -> None:
    assert ("warning", "PIN of odd token") in rows(examine(LastTry, environ=READY))
    assert ("warning", "PIN of odd token") not in rows(examine(Plain, environ=READY))


def test_a_backend_that_says_nothing_is_said_to(examine: Examine) -> None:
    found = examine(Silent)
    assert rows(found) == [("ok", "reference"), ("ok", "plugin"), ("warning", "backend")]
    assert "--log-in" in found.checks[-1].symptom.remedy
    assert ("warning", "backend") not in rows(examine(Silent, log_in=True))


def test_keys_that_are_listed_after_a_login_only_are_not_asked_for(examine: Examine) -> None:
    found = examine(ListsAfterLogin, environ=READY)
    assert "public key" not in [check.symptom.subject for check in found.checks]
    assert found.checks[-1].symptom.found == "not tried"
    assert exit_code([found]) == 0


def test_a_reference_selects_one_key(examine: Examine) -> None:
    found = examine(ListsSeveral)
    assert failure(found) == r"key: odd:key: it must name one key, and selects odd:key, odd:\x1bother; name one of them"
    assert exit_code([found]) == 2
    none = examine(ListsNone)
    assert ("warning", "key") in rows(none)


def test_a_login_that_fails_is_the_last_line(examine: Examine) -> None:
    found = examine(reference="pooled:ecdsa-p384", registry=sketch_registry(), environ={"POOLED_PIN": "wrong"}, log_in=True)
    assert failure(found) == "login: pooled: the PIN is wrong; "
    assert exit_code([found]) == 3
    right = examine(reference="pooled:ecdsa-p384", registry=sketch_registry(), environ={"POOLED_PIN": PIN}, log_in=True)
    assert exit_code([right]) == 0


def test_a_key_that_signs_by_nothing_is_not_tried(examine: Examine) -> None:
    found = examine(Powerless, test_signature=True)
    assert failure(found).startswith("key: the key, its policy and the mechanisms leave nothing to sign by; ")
    assert exit_code([found]) == 2


@pytest.mark.parametrize("kind", ["ecdsa-p384", "rsa-3072", "ed25519"])
def test_every_kind_of_key_signs_once(examine: Examine, kind: str) -> None:
    found = examine(reference=f"pooled:{kind}", registry=sketch_registry(), environ={"POOLED_PIN": PIN}, test_signature=True)
    (signed,) = [check.symptom for check in found.checks if check.symptom.subject == "signature"]
    assert signed.status == "ok"
    assert signed.found.startswith(kind.partition("-")[0])


@pytest.mark.parametrize(("backend", "status"), [(TurnsOnce, "ok"), (KeepsTurning, "failure")])
def test_a_service_that_turns_to_its_next_certificate_is_asked_once_more(
    examine: Examine, backend: type[Silent], status: str
) -> None:
    found = examine(backend, test_signature=True)
    (signed,) = [check.symptom for check in found.checks if check.symptom.subject == "signature"]
    assert signed.status == status
