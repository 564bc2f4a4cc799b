"""Values are frozen, compare by what they hold, and order what has an order."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError

import pytest

from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.outcomes import REJECTING, Outcome, Verdict
from hatch_sign.values.protection import Protection, ProtectionLevel

VALUES = [
    Subject("demo.whl", 3, {"sha256": bytes(32)}),
    Release("demo", "1.0"),
    Outcome("demo.whl", "sigstore", "sigstore", Verdict.TRUSTED),
    Protection(ProtectionLevel.SOFTWARE, "a file"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_frozen_and_hashable(value: object) -> None:
    assert hash(value) == hash(copy.copy(value))
    assert value == copy.copy(value)
    with pytest.raises((FrozenInstanceError, TypeError)):
        value.name = "other"  # type: ignore[attr-defined] # that it fails is the point


def test_protection_is_ordered_from_software_to_attested() -> None:
    ranks = [ProtectionLevel(name).rank for name in ("software", "self-asserted", "provider-asserted", "attested")]
    assert ranks == [0, 1, 2, 3]


def test_only_broken_signatures_reject_what_another_one_vouches_for() -> None:
    assert {verdict.value for verdict in REJECTING} == {"malformed", "hash-mismatch"}
    assert not {Verdict.TRUSTED, Verdict.CONSISTENT} & REJECTING
