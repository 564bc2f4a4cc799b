"""References of PKCS#11 are read and written as RFC 7512 says, and never repeat what may be a PIN."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.references import (
    Pkcs11Reference,
    TokenFacts,
    TokenPattern,
    encode_reference,
    ignores_certificates,
    parse_pkcs11_reference,
)

_PIN = "40" + "711"

_FACTS = TokenFacts(
    slot_id=17,
    label="release".ljust(32),
    manufacturer="Snake Oil, Inc.".ljust(32),
    model="1.0".ljust(16),
    serial="DECC0401648".ljust(16),
    slot_description="Reader 0".ljust(64),
    slot_manufacturer="Readers".ljust(32),
    library_manufacturer="Snake Oil, Inc.".ljust(32),
    library_description="Soft Token Library".ljust(32),
    library_version=(1, 23),
)


def _parse(reference: str, **environ: str) -> Pkcs11Reference:
    return parse_pkcs11_reference(reference, environ)


def test_a_reference_is_taken_apart() -> None:
    reference = "pkcs11:token=release;object=signing?module-path=/usr/lib/a%20b.so&pin-source=env:HSM_PIN"
    assert _parse(reference) == Pkcs11Reference(
        text="pkcs11:token=release;object=signing",
        token=TokenPattern(label="release"),
        object="signing",
        module_path="/usr/lib/a b.so",
        module_origin="the reference's module-path",
        pin_source="env:HSM_PIN",
    )


def test_every_attribute_of_a_token_is_read() -> None:
    reference = (
        "pkcs11:token=a;manufacturer=b;model=c;serial=d;slot-id=0017;slot-description=e;slot-manufacturer=f;"
        "library-manufacturer=g;library-description=h;library-version=2.40"
    )
    assert _parse(reference).token == TokenPattern("a", "b", "c", "d", 17, "e", "f", "g", "h", (2, 40))


# The examples of RFC 7512 §3 that hold neither a PIN nor a vendor's attribute; it breaks lines that are joined here.
@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("pkcs11:", {}),
        ("pkcs11:object=my-pubkey;type=public", {"object": "my-pubkey", "type": "public"}),
        (
            "pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
            {"object": "my-key", "type": "private", "pin_source": "file:/etc/token"},
        ),
        (
            (
                "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
                "object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin"
            ),
            {
                "token": TokenPattern("The Software PKCS#11 Softtoken", "Snake Oil, Inc.", "1.0", ""),
                "object": "my-certificate",
                "type": "cert",
                "id": bytes.fromhex("69953e5cf4bdec91"),
                "pin_source": "file:/etc/token_pin",
            },
        ),
        ("pkcs11:object=my-sign-key;type=private?module-name=mypkcs11", {"module_name": "mypkcs11"}),
        ("pkcs11:object=my-sign-key?module-path=/mnt/libmypkcs11.so.1", {"module_path": "/mnt/libmypkcs11.so.1"}),
        ("pkcs11:slot-description=Sun%20Metaslot", {"token": TokenPattern(slot_description="Sun Metaslot")}),
        (
            "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23",
            {
                "token": TokenPattern(
                    library_manufacturer="Snake Oil, Inc.",
                    library_description="Soft Token Library",
                    library_version=(1, 23),
                )
            },
        ),
        (
            "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;id=%01%02%03%Ba%dd%Ca%fe%04%05%06",
            {
                "token": TokenPattern("My token% created by Joe", library_version=(3, 0)),
                "id": bytes.fromhex("010203baddcafe040506"),
            },
        ),
        (
            "pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate;type=cert",
            {"token": TokenPattern("A name with a substring %;")},
        ),
        ("pkcs11:token=small%20A%20with%20acute:%20%C3%A1", {"token": TokenPattern("small A with acute: á")}),
        ("pkcs11:token=:[]@!$'()*+,=&", {"token": TokenPattern(":[]@!$'()*+,=&")}),
    ],
)
def test_the_examples_of_the_standard(reference: str, expected: dict[str, object]) -> None:
    found = _parse(reference)
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_cosign_prints_is_understood() -> None:
    found = _parse("pkcs11:token=Label;slot-id=1;id=%4a%8d%2f;object=key_label_1?module-path=/usr/local/lib/libp11.so")
    assert found.token == TokenPattern(label="Label", slot_id=1)
    assert (found.object, found.id, found.module_path) == ("key_label_1", b"\x4a\x8d\x2f", "/usr/local/lib/libp11.so")


def test_names_and_types_have_no_case() -> None:
    found = _parse("PKCS11:Token=Release;TYPE=Private?Module-Name=SoftHSM2&PIN-source=env:A")
    assert found.token == TokenPattern(label="Release")
    assert (found.type, found.module_name, found.pin_source) == ("private", "SoftHSM2", "env:A")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("emulated:release", "was given to the backend for pkcs11"),
        ("pkcs11:release", "not of the form pkcs11:NAME=VALUE"),
        ("pkcs11:token=a;", "not of the form pkcs11:NAME=VALUE"),
        ("pkcs11:;token=a", "not of the form pkcs11:NAME=VALUE"),
        ("pkcs11:%74oken=a", "not of the form pkcs11:NAME=VALUE"),
        ("pkcs11://token=a", "not of the form pkcs11:NAME=VALUE"),
        ("pkcs11:token=a;token=a", "sets `token` twice"),
        ("pkcs11:token=a;Token=b", "sets `token` twice"),
        ("pkcs11:x-vendor=a", "holds `x-vendor`, to which no token or key can answer"),
        ("pkcs11:label=a", "holds `label`, to which no token or key can answer"),
        ("pkcs11:module-path=/x.so", "holds `module-path`, to which no"),
        ("pkcs11:token=a b", "a character in `token` that must be percent-encoded"),
        ("pkcs11:token=a/b", "a character in `token` that must be percent-encoded"),
        ("pkcs11:token=a#b", "a character in `token` that must be percent-encoded"),
        ("pkcs11:token=é", "a character in `token` that must be percent-encoded"),
        ("pkcs11:token=50%", "or a broken encoding"),
        ("pkcs11:id=%0g", "or a broken encoding"),
        ("pkcs11:token=%ff", "holds `token` in an encoding that is not UTF-8"),
        ("pkcs11:object=%C3", "holds `object` in an encoding that is not UTF-8"),
        ("pkcs11:token=" + "a" * 33, "more than 32 bytes in `token`"),
        ("pkcs11:token=" + "%C4%8D" * 17, "more than 32 bytes in `token`"),
        ("pkcs11:serial=" + "1" * 17, "more than 16 bytes in `serial`"),
        ("pkcs11:model=" + "1" * 17, "more than 16 bytes in `model`"),
        ("pkcs11:manufacturer=" + "1" * 33, "more than 32 bytes in `manufacturer`"),
        ("pkcs11:slot-description=" + "1" * 65, "more than 64 bytes in `slot-description`"),
        ("pkcs11:slot-manufacturer=" + "1" * 33, "more than 32 bytes in `slot-manufacturer`"),
        ("pkcs11:library-manufacturer=" + "1" * 33, "more than 32 bytes in `library-manufacturer`"),
        ("pkcs11:library-description=" + "1" * 33, "more than 32 bytes in `library-description`"),
        ("pkcs11:serial=%C4%8D", "`serial` that is not printable ASCII"),
        ("pkcs11:serial=%00", "`serial` that is not printable ASCII"),
        ("pkcs11:slot-id=", "`slot-id` that is not a decimal number"),
        ("pkcs11:slot-id=-1", "`slot-id` that is not a decimal number"),
        ("pkcs11:slot-id=0x1", "`slot-id` that is not a decimal number"),
        ("pkcs11:slot-id=%31", "`slot-id` that is not a decimal number"),
        ("pkcs11:slot-id=18446744073709551616", "`slot-id` that is not a decimal number"),
        ("pkcs11:library-version=", "not MAJOR or MAJOR.MINOR"),
        ("pkcs11:library-version=1.", "not MAJOR or MAJOR.MINOR"),
        ("pkcs11:library-version=1.2.3", "not MAJOR or MAJOR.MINOR"),
        ("pkcs11:library-version=1.256", "not MAJOR or MAJOR.MINOR"),
        ("pkcs11:type=data", "selects `type=data`, which does not sign"),
        ("pkcs11:type=secret-key", "selects `type=secret-key`, which does not sign"),
        ("pkcs11:type=", "selects an unknown `type`"),
        ("pkcs11:token=a?pin-sorce=env:A", "`pin-sorce` is not a setting of pkcs11 references"),
        ("pkcs11:token=a?module-name=a&Module-Name=b", "its query sets `module-name` twice"),
        ("pkcs11:token=a?module-path=/50%", "its query is not percent-encoded UTF-8"),
        ("pkcs11:token=a?module-path=/%ff", "its query is not percent-encoded UTF-8"),
        ("pkcs11:token=a?module-path=", "the reference's module-path is empty"),
        ("pkcs11:token=a?module-path=/a%00b", "holds characters that no path has"),
        ("pkcs11:token=a?module-name=", "name of a PKCS#11 module is not letters"),
        ("pkcs11:token=a?module-name=../evil", "name of a PKCS#11 module is not letters"),
        ("pkcs11:token=a?module-name=" + "a" * 129, "name of a PKCS#11 module is not letters"),
        ("pkcs11:token=" + "a" * 5000, "SCHEME:PATH"),
        ("pkcs11:token=a\n", "SCHEME:PATH"),
    ],
)
def test_what_nobody_could_honour_is_refused(reference: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(reason)):
        _parse(reference)


def test_a_query_may_be_empty() -> None:
    assert _parse("pkcs11:token=a?") == _parse("pkcs11:token=a")


@pytest.mark.parametrize("slot", ["0", "18446744073709551615"])
def test_a_slot_may_have_any_number_of_its_type(slot: str) -> None:
    assert _parse(f"pkcs11:slot-id={slot}").token.slot_id == int(slot)


@pytest.mark.parametrize(
    "spelling",
    [
        "pkcs11:{}",
        "pkcs11:token=a;{}",
        "pkcs11:token=a;pin={}",
        "pkcs11:token=a;pin={}?pin",
        "pkcs11:token=a;pin={}?pin-source",
        "pkcs11:token=a;pin-value={}",
        "pkcs11:token=a?pin-value={}",
        "pkcs11:token=a?pin={}",
        "pkcs11:token=a?{}",
        "pkcs11:token=a?pin-source=env:A&{}",
        "pkcs11:token=a?module-name=/{}",
        "pkcs11:token=a?module-path={}%",
        "pkcs11:token=a;type={}",
        "pkcs11:token=a;slot-id={}x",
        "pkcs11:token=a;slot-id=1;slot-id={}",
        "pkcs11:token=a;library-version={}",
        "pkcs11:serial={}%00",
        "pkcs11:model=%ff{}",
        "{}",
        "{}:token=a\n",
    ],
)
def test_a_misplaced_pin_is_refused_and_not_repeated(spelling: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _parse(spelling.format(_PIN))
    assert _PIN not in str(caught.value)
    assert caught.value.__cause__ is None


_WORDS = (
    "%41 %ff %C3%A9 pkcs11: token= object= id= type= private slot-id= library-version= serial= module-path= "
    "module-name= pin-source= pin-value="
)
_TANGLES = st.lists(st.sampled_from([*"%;=?&:/#+ -.019aZé\x00", *_WORDS.split()]), max_size=24).map("".join)


@given(st.one_of(st.text(), _TANGLES), st.text(max_size=20))
def test_nothing_but_a_configuration_error_is_raised(tangle: str, module: str) -> None:
    with suppress(ConfigurationError):
        found = _parse(f"pkcs11:{tangle}", HATCH_SIGN_PKCS11_MODULE=module)
        assert found.text.isascii()
        assert found.text.isprintable()


_PATH = "/opt/vendor/p11.so"


@pytest.mark.parametrize(
    ("query", "environ", "expected"),
    [
        ("", {}, (None, None, None)),
        ("?module-path=/a.so", {"HATCH_SIGN_PKCS11_MODULE": _PATH}, ("/a.so", None, "the reference's module-path")),
        ("?module-name=a", {"HATCH_SIGN_PKCS11_MODULE": _PATH}, (None, "a", "the reference's module-name")),
        ("?module-path=/a&module-name=b", {}, ("/a", "b", "the reference's module-path")),
        (
            "",
            {"HATCH_SIGN_PKCS11_MODULE": _PATH, "COSIGN_PKCS11_MODULE_PATH": "/c.so"},
            (_PATH, None, "HATCH_SIGN_PKCS11_MODULE"),
        ),
        ("", {"HATCH_SIGN_PKCS11_MODULE": "softhsm2"}, (None, "softhsm2", "HATCH_SIGN_PKCS11_MODULE")),
        (
            "",
            {"HATCH_SIGN_PKCS11_MODULE": "", "COSIGN_PKCS11_MODULE_PATH": "/c.so"},
            ("/c.so", None, "COSIGN_PKCS11_MODULE_PATH"),
        ),
    ],
)
def test_who_names_the_module(query: str, environ: dict[str, str], expected: tuple[str | None, ...]) -> None:
    found = _parse(f"pkcs11:token=a{query}", **environ)
    assert (found.module_path, found.module_name, found.module_origin) == expected


@pytest.mark.parametrize("value", ["a\nb/c", "a b", "C:module.dll"])
def test_a_module_in_the_environment_is_checked_as_one_in_a_reference(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"characters that no path has|is not letters, digits"):
        _parse("pkcs11:token=a", HATCH_SIGN_PKCS11_MODULE=value)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("true", True), ("0", False), ("", False), ("yes", False)])
def test_cosigns_switch_for_certificates(value: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ignores_certificates({"COSIGN_PKCS11_IGNORE_CERTIFICATE": value}) is expected
    assert not ignores_certificates({})


_FITTING = {
    "token": "release",
    "manufacturer": "Snake%20Oil,%20Inc.",
    "model": "1.0",
    "serial": "DECC0401648",
    "slot-id": "17",
    "slot-description": "Reader%200",
    "slot-manufacturer": "Readers",
    "library-manufacturer": "Snake%20Oil,%20Inc.",
    "library-description": "Soft%20Token%20Library",
    "library-version": "1.23",
}


@pytest.mark.parametrize("name", _FITTING)
def test_a_token_fits_what_is_said_of_it_and_nothing_else(name: str) -> None:
    def fits(value: str) -> bool:
        return _parse(f"pkcs11:{name}={value}").token.matches(_FACTS)

    assert fits(_FITTING[name])
    is_number = name in {"slot-id", "library-version"}
    assert not fits("18" if is_number else _FITTING[name].replace("1", "2").swapcase())
    assert is_number or not fits("")


def test_all_that_is_said_must_fit() -> None:
    whole = ";".join(f"{name}={value}" for name, value in _FITTING.items())
    assert _parse(f"pkcs11:{whole}").token.matches(_FACTS)
    for field in fields(TokenFacts):
        other = 99 if field.name == "slot_id" else (9, 9) if field.name == "library_version" else "other"
        assert not _parse(f"pkcs11:{whole}").token.matches(replace(_FACTS, **{field.name: other})), field.name


def test_nothing_said_fits_every_token_and_an_empty_value_only_an_empty_one() -> None:
    assert _parse("pkcs11:").token.matches(_FACTS)
    assert _parse("pkcs11:").token.matches(TokenFacts(slot_id=0))
    assert _parse("pkcs11:serial=").token.matches(replace(_FACTS, serial=" " * 16))
    assert not _parse("pkcs11:serial=").token.matches(_FACTS)


def test_padding_may_be_spaces_or_a_nul_and_case_counts() -> None:
    pattern = _parse("pkcs11:token=release").token
    for label in ("release", "release   ", "release\0", "release\0  "):
        assert pattern.matches(replace(_FACTS, label=label)), label
    for label in (" release", "Release", "release2", "rele"):
        assert not pattern.matches(replace(_FACTS, label=label)), label


def test_labels_are_the_same_however_unicode_composes_them() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    reference = _parse("pkcs11:token=cafe%CC%81;object=caf%C3%A9")
    assert reference.token.matches(replace(_FACTS, label=composed))
    assert reference.selects(label=decomposed, key_id=b"")
    assert not reference.selects(label="cafe", key_id=b"")


@pytest.mark.parametrize(
    ("path", "label", "key_id", "selected"),
    [
        ("token=a", "x", b"\1", True),
        ("object=x", "x", b"\1", True),
        ("object=x", "X", b"\1", False),
        ("object=x", "x ", b"\1", False),
        ("id=%01", "x", b"\1", True),
        ("id=%01", "x", b"\0\1", False),
        ("object=x;id=%01", "x", b"\2", False),
        ("object=x;id=%01", "y", b"\1", False),
        ("object=", "", b"\1", True),
        ("object=", "x", b"\1", False),
        ("id=", "x", b"", True),
        ("id=", "x", b"\1", False),
    ],
)
def test_which_keys_answer(path: str, label: str, key_id: bytes, *, selected: bool) -> None:
    assert _parse(f"pkcs11:{path}").selects(label=label, key_id=key_id) is selected


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ({}, "pkcs11:token=release;serial=DECC0401648"),
        ({"label": "signing"}, "pkcs11:token=release;serial=DECC0401648;object=signing"),
        (
            {"label": "a b/;č+&", "key_id": b"\x01\xff", "module_path": "/opt/a b/p11.so", "pin_source": "env:HSM_PIN"},
            (
                "pkcs11:token=release;serial=DECC0401648;id=%01%FF;object=a%20b%2F%3B%C4%8D%2B%26"
                "?module-path=/opt/a%20b/p11.so&pin-source=env:HSM_PIN"
            ),
        ),
        (
            {"label": "", "key_id": b"\x01", "module_name": "softhsm2"},
            "pkcs11:token=release;serial=DECC0401648;id=%01?module-name=softhsm2",
        ),
        ({"label": "", "key_id": b""}, "pkcs11:token=release;serial=DECC0401648;id=;object="),
        # Nobody could read these again: a PIN in a label, as it looks, and bytes that are no UTF-8.
        ({"label": "a;pin-value=1", "key_id": b"\x01"}, "pkcs11:token=release;serial=DECC0401648;id=%01"),
        ({"label": "a\udcff", "key_id": b"\x01"}, "pkcs11:token=release;serial=DECC0401648;id=%01"),
    ],
)
def test_what_is_written(arguments: dict[str, str], written: str) -> None:
    assert encode_reference(_FACTS, **arguments) == written


def test_a_slot_names_only_a_token_that_has_no_name() -> None:
    assert encode_reference(TokenFacts(slot_id=3), label="k") == "pkcs11:slot-id=3;object=k"
    assert encode_reference(replace(_FACTS, serial="\udcff"), label="k") == "pkcs11:token=release;object=k"


def test_a_reference_that_nobody_could_read_is_not_written() -> None:
    assert encode_reference(_FACTS, module_path="/" + "a" * 3000)
    with pytest.raises(ConfigurationError, match="would have more than 4096 characters"):
        encode_reference(_FACTS, module_path="/" + " " * 3000)
    with pytest.raises(ConfigurationError, match="characters that no path has"):
        encode_reference(_FACTS, module_path="/a\udcff")
    with pytest.raises(ConfigurationError, match="is not letters"):
        encode_reference(_FACTS, module_name="a/b")


_ANYTHING = st.text(st.characters(), max_size=40)
_READABLE = st.text(st.characters(exclude_categories=("Cs",)), max_size=8).filter(lambda text: "=" not in text)
_ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=16).filter(lambda text: "=" not in text)


@given(label=_READABLE, serial=_ASCII, slot=st.integers(0, 2**64 - 1), key_label=_READABLE, key_id=st.binary(max_size=64))
def test_what_is_written_opens_the_same_key_again(label: str, serial: str, slot: int, key_label: str, key_id: bytes) -> None:
    facts = TokenFacts(slot, label=label.ljust(32), serial=serial.ljust(16))
    found = _parse(encode_reference(facts, label=key_label, key_id=key_id))
    assert found.token.matches(facts)
    assert found.selects(label=key_label, key_id=key_id)
    assert not key_id or not found.selects(label=key_label, key_id=key_id + b"\0")
    assert not key_label or not found.selects(label=f"{key_label}x", key_id=key_id)
    again = encode_reference(facts, label=found.object or key_label, key_id=found.id or key_id)
    assert _parse(again) == found


@given(_ANYTHING, _ANYTHING, _ANYTHING, st.binary(max_size=40))
def test_whatever_a_token_says_of_itself_a_reference_fits_it(label: str, serial: str, key_label: str, key_id: bytes) -> None:
    facts = TokenFacts(4, label=label, serial=serial, manufacturer=key_label)
    found = _parse(encode_reference(facts, label=key_label, key_id=key_id))
    assert found.token.matches(facts)
    assert found.selects(label=key_label, key_id=key_id)
    assert facts.describe().isascii()
    assert facts.describe().isprintable()


def test_a_token_is_described_by_a_reference_that_selects_it() -> None:
    described = "pkcs11:token=release;manufacturer=Snake%20Oil%2C%20Inc.;model=1.0;serial=DECC0401648;slot-id=17"
    assert _FACTS.describe() == described
    assert _parse(described).token.matches(_FACTS)
    assert not _parse(described).token.matches(replace(_FACTS, slot_id=18))
