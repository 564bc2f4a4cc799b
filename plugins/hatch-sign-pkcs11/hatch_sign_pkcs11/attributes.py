"""Reading objects of tokens that leave attributes out, or fill them with what no enumeration has."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pkcs11 import Attribute, PKCS11Error
from pkcs11.attributes import AttributeMapper, handle_ulong

if TYPE_CHECKING:
    from collections.abc import Sequence

_ULONG_SIZE = len(handle_ulong[0](0))
_ENUMERATED = (Attribute.KEY_GEN_MECHANISM, Attribute.KEY_TYPE, Attribute.CERTIFICATE_TYPE)


def _unpack_text(data: bytes) -> str:
    """Return text as the token holds it; bytes that are no UTF-8 survive a search for the same label."""
    return data.decode("utf-8", "surrogateescape")


def _pack_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _pack_ulongs(values: Sequence[int]) -> bytes:
    return b"".join(handle_ulong[0](value) for value in values)


def _unpack_ulongs(data: bytes) -> tuple[int, ...]:
    return tuple(handle_ulong[1](data[start : start + _ULONG_SIZE]) for start in range(0, len(data), _ULONG_SIZE))


def lenient_mapper() -> AttributeMapper:
    """Return a mapper that takes what the library's own refuses: unknown numbers, labels in other encodings."""
    mapper = AttributeMapper()
    for attribute in _ENUMERATED:
        mapper.register_handler(attribute, *handle_ulong)
    mapper.register_handler(Attribute.LABEL, _pack_text, _unpack_text)
    mapper.register_handler(Attribute.ALLOWED_MECHANISMS, _pack_ulongs, _unpack_ulongs)
    return mapper


def read(entry: Any, attribute: Attribute, default: Any = None) -> Any:  # noqa: ANN401 - the type depends on the attribute
    """Return an attribute of an object, or `default` where the token does not tell it. Raises what a lost token raises."""
    try:
        return entry[attribute]
    except PKCS11Error as error:
        if type(error).__name__ not in _UNTOLD:
            raise
    except (ValueError, struct.error, NotImplementedError):  # a length or a form that the attribute does not have
        pass
    return default


_UNTOLD = frozenset({"AttributeTypeInvalid", "AttributeSensitive", "AttributeValueInvalid", "FunctionFailed"})
"""How tokens say that they have no such attribute; the last one is what the library says of those that fill in no length."""
