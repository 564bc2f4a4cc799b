from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.contract.references import KeyReference, parse_reference, without_query
from hatch_sign.values.errors import ConfigurationError

_PIN = "40" + "711"


def test_a_reference_is_taken_apart() -> None:
    reference = "pkcs11:token=release;object=signing?module-path=/usr/lib/a%26b.so&pin-source=env:HSM_PIN"
    parsed = parse_reference(reference)
    query = {"module-path": "/usr/lib/a&b.so", "pin-source": "env:HSM_PIN"}
    assert parsed == KeyReference("pkcs11", "token=release;object=signing", query)
    assert parsed.pin_source == "env:HSM_PIN"
    assert parsed.name == without_query(reference) == "pkcs11:token=release;object=signing"


@pytest.mark.parametrize(
    "reference", ["awskms:///alias/release", "signserver+https://host:8443/signserver/workers/Code", "sigstore:"]
)
def test_other_schemes_are_well_formed(reference: str) -> None:
    assert parse_reference(reference).name == reference
    assert parse_reference(reference).pin_source is None


def test_the_scheme_has_no_case() -> None:
    assert parse_reference("EMULATED:Release").name == "emulated:Release"


@pytest.mark.parametrize(
    "reference", ["", "release", ":x", "1a:x", "a b:x", "emulated:a\nb", "emulated:\x1b[2J", "e:" + "x" * 4096]
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(ConfigurationError, match="SCHEME:PATH"):
        parse_reference(reference)


@pytest.mark.parametrize(
    "spelling",
    [
        "pkcs11:token=a?pin-value={}",
        "pkcs11:token=a?module-path=/x&pin-value={}",
        "pkcs11:token=a?PIN-VALUE={}",
        "pkcs11:token=a?pin%2Dvalue={}",
        "pkcs11:token=a;pin-value={}",
        "pkcs11:pin-value={}",
        "pkcs11:token=a?pinvalue ={}",
        "signserver+https://user:{}@host/signserver/workers/1",
    ],
)
def test_a_secret_in_the_text_is_refused_and_not_repeated(spelling: str) -> None:
    with pytest.raises(ConfigurationError, match=r"holds a (PIN|password)") as caught:
        parse_reference(spelling.format(_PIN))
    assert _PIN not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("query", "reason"), [("a=1&a=2", "twice"), ("a", "NAME=VALUE"), ("=1", "NAME=VALUE"), ("a=1&", "NAME=VALUE")]
)
def test_a_query_that_is_none_is_refused(query: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        parse_reference(f"emulated:a?{query}")


def test_unknown_settings_are_named() -> None:
    parsed = parse_reference("pkcs11:token=a?slot-idx=1&pin-source=env:A")
    parsed.require_known("slot-idx")
    with pytest.raises(ConfigurationError, match="`slot-idx` is not a setting"):
        parsed.require_known("slot-id")


@given(st.text(max_size=60))
def test_nothing_but_our_error_comes_of_any_text(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except ConfigurationError:
        return
    assert parsed.name.isprintable()
