"""What the word of a service on a key is worth."""

from __future__ import annotations

import pytest

from hatch_sign.remote import Exposure, service_protection
from hatch_sign.values.protection import ProtectionLevel


@pytest.mark.parametrize("place", ["in software", "in an HSM"])
def test_a_key_that_cannot_be_exported_is_vouched_for_wherever_it_is_kept(place: str) -> None:
    protection = service_protection(place, {}, service="Example KMS", plain_channel=False)
    assert protection.level is ProtectionLevel.PROVIDER_ASSERTED
    assert protection.summary == f"{place}, not exportable; Example KMS says so"


@pytest.mark.parametrize("plain_channel", [False, True])
@pytest.mark.parametrize("exposure", Exposure)
def test_what_may_have_left_is_not(exposure: Exposure, plain_channel: bool) -> None:  # noqa: FBT001 - a parameter of a test
    protection = service_protection("in an HSM", {}, service="Example KMS", plain_channel=plain_channel, exposure=exposure)
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary == f"in an HSM; {exposure.value}"


def test_nor_what_anybody_may_have_said() -> None:
    protection = service_protection("in an HSM", {}, service="Example KMS", plain_channel=True)
    assert protection.level is ProtectionLevel.SOFTWARE
    assert protection.summary == "in an HSM, says whatever answers for Example KMS over a plain channel (http)"


def test_a_remark_follows_and_claims_are_shown_as_text() -> None:
    claims = {"exportable": False, "unsaid": None, "empty": "", "version": 3, "odd": "a\nb"}
    protection = service_protection("in an HSM", claims, service="S", plain_channel=False, remark="and more")
    assert protection.summary == "in an HSM, not exportable; S says so; and more"
    assert protection.claims == {"exportable": "false", "version": "3", "odd": protection.claims["odd"]}
    assert "\n" not in protection.claims["odd"]
