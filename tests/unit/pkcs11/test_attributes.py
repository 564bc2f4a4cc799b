"""Attributes that tokens leave out, or fill with what the library does not expect."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pkcs11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pkcs11 import Attribute

from hatch_sign_pkcs11.attributes import lenient_mapper, read

if TYPE_CHECKING:
    from collections.abc import Mapping

ULONG = struct.Struct("@L")
UNKNOWN = 0x80001234


class FakeObject:
    """Stands for an object of python-pkcs11: unpacks by the mapper what the token holds, or raises what it answers."""

    def __init__(self, held: Mapping[Attribute, bytes | Exception]) -> None:
        self._held = held
        self._mapper = lenient_mapper()

    def __getitem__(self, attribute: Attribute) -> Any:  # noqa: ANN401 - as the library's
        held = self._held[attribute]
        if isinstance(held, Exception):
            raise held
        return self._mapper.unpack_attributes(attribute, held)


# --- the mapper -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", [Attribute.KEY_GEN_MECHANISM, Attribute.KEY_TYPE, Attribute.CERTIFICATE_TYPE])
def test_a_number_that_the_library_has_no_name_for_is_a_number(attribute: Attribute) -> None:
    mapper = lenient_mapper()
    assert mapper.unpack_attributes(attribute, ULONG.pack(UNKNOWN)) == UNKNOWN
    assert mapper.pack_attribute(attribute, UNKNOWN) == ULONG.pack(UNKNOWN)
    with pytest.raises(ValueError, match=str(UNKNOWN)):
        pkcs11.attributes.AttributeMapper().unpack_attributes(attribute, ULONG.pack(UNKNOWN))


@given(st.binary())
def test_a_label_of_any_bytes_can_be_searched_for(raw: bytes) -> None:
    mapper = lenient_mapper()
    assert mapper.pack_attribute(Attribute.LABEL, mapper.unpack_attributes(Attribute.LABEL, raw)) == raw


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_label_is_utf_8(label: str) -> None:
    mapper = lenient_mapper()
    assert mapper.pack_attribute(Attribute.LABEL, label) == label.encode()
    assert mapper.unpack_attributes(Attribute.LABEL, label.encode()) == label


@given(st.lists(st.integers(0, 256**ULONG.size - 1)))
def test_the_mechanisms_that_a_key_is_restricted_to_are_numbers_in_a_row(numbers: list[int]) -> None:
    mapper = lenient_mapper()
    held = b"".join(map(ULONG.pack, numbers))
    assert mapper.unpack_attributes(Attribute.ALLOWED_MECHANISMS, held) == tuple(numbers)
    assert mapper.pack_attribute(Attribute.ALLOWED_MECHANISMS, numbers) == held


def test_a_mapper_is_its_sessions_own() -> None:
    lenient_mapper().register_handler(Attribute.LABEL, bytes, bytes)
    assert lenient_mapper().unpack_attributes(Attribute.LABEL, b"signing") == "signing"


# --- reading ----------------------------------------------------------------------------------------------------------


def test_what_is_held_is_read() -> None:
    entry = FakeObject(
        {
            Attribute.LABEL: b"signing",
            Attribute.SIGN: b"\0",
            Attribute.EXTRACTABLE: b"\x01",
            Attribute.KEY_GEN_MECHANISM: ULONG.pack(0x1040),
        }
    )
    assert read(entry, Attribute.LABEL, "") == "signing"
    assert read(entry, Attribute.SIGN, default=True) is False
    assert read(entry, Attribute.EXTRACTABLE) is True
    assert read(entry, Attribute.KEY_GEN_MECHANISM) == 0x1040


UNTOLD = [
    pkcs11.AttributeTypeInvalid(),
    pkcs11.AttributeSensitive(),
    pkcs11.AttributeValueInvalid(),
    pkcs11.FunctionFailed(),
    NotImplementedError("Can't handle attribute type 0x1."),
    ValueError("not an instance"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
]


@pytest.mark.parametrize("answer", UNTOLD, ids=lambda each: type(each).__name__)
def test_what_is_not_told_is_the_default(answer: Exception) -> None:
    assert read(FakeObject({Attribute.LABEL: answer}), Attribute.LABEL) is None
    assert read(FakeObject({Attribute.LABEL: answer}), Attribute.LABEL, "nameless") == "nameless"


@pytest.mark.parametrize(
    "answer",
    [
        pkcs11.DeviceRemoved(),
        pkcs11.DeviceError(),
        pkcs11.SessionHandleInvalid(),
        pkcs11.ObjectHandleInvalid(),
        pkcs11.UserNotLoggedIn(),
        pkcs11.GeneralError(),
        pkcs11.PKCS11Error("Initialisation error (not initialized). Should never see this."),
        MemoryError(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_a_lost_token_answers_is_no_lack_of_an_attribute(answer: Exception) -> None:
    with pytest.raises(type(answer)) as caught:
        read(FakeObject({Attribute.LABEL: answer}), Attribute.LABEL, "nameless")
    assert caught.value is answer


def test_an_attribute_that_the_library_cannot_unpack_is_the_default() -> None:
    without_handler = Attribute.OWNER
    with pytest.raises(NotImplementedError):
        lenient_mapper().unpack_attributes(without_handler, b"x")
    assert read(FakeObject({without_handler: b"x"}), without_handler, "untold") == "untold"


@pytest.mark.parametrize(
    ("attribute", "held"),
    [
        (Attribute.KEY_GEN_MECHANISM, b""),
        (Attribute.KEY_GEN_MECHANISM, bytes(ULONG.size // 2)),
        (Attribute.CERTIFICATE_TYPE, bytes(ULONG.size + 1)),
        (Attribute.ALLOWED_MECHANISMS, bytes(ULONG.size + 1)),
        (Attribute.SIGN, bytes(2)),
    ],
)
def test_an_attribute_of_a_length_that_it_cannot_have_is_the_default(attribute: Attribute, held: bytes) -> None:
    assert read(FakeObject({attribute: held}), attribute, "untold") == "untold"
