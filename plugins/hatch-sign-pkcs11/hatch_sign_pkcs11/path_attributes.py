"""The attributes in the path of a ``pkcs11:`` reference, read one by one (RFC 7512 §2.3); pure.

Every error is a ConfigurationError that repeats the name of an attribute, never its value: that may be a misplaced PIN.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from hatch_sign.contract.references import LONGEST
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.token_facts import TokenPattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTHS = {
    "token": 32,
    "manufacturer": 32,
    "model": 16,
    "serial": 16,
    "slot-description": 64,
    "slot-manufacturer": 32,
    "library-manufacturer": 32,
    "library-description": 32,
}
"""Bytes in the fixed-width fields of CK_TOKEN_INFO, CK_SLOT_INFO and CK_INFO (PKCS#11 v2.40, base specification §3)."""

_PATH_ATTRIBUTES = (*_WIDTHS, "slot-id", "library-version", "object", "id", "type")
_KEY_TYPES = ("cert", "private", "public")
_OTHER_TYPES = ("data", "secret-key")
_LARGEST_SLOT_ID = 2**64 - 1
_LARGEST_VERSION = 255

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}\Z")
# RFC 7512 §2.3, pk11-pchar: an unencoded `/`, `#` or space is not in it, and other readers cut the reference there.
_PATH_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*\Z")
_SLOT_ID = re.compile(r"[0-9]{1,20}\Z")
_VERSION = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,3}))?\Z")


def split_path(path: str) -> dict[str, str]:
    """Return the attributes of `path`, still percent-encoded, under their names in lower case."""
    attributes: dict[str, str] = {}
    for part in path.split(";") if path else ():
        name, equals, value = part.partition("=")
        name = name.lower()  # The names are literals of ABNF, which have no case (RFC 5234 §2.3).
        if not equals or not _ATTRIBUTE_NAME.match(name):
            message = "a pkcs11: reference is not of the form pkcs11:NAME=VALUE;NAME=VALUE"
            raise ConfigurationError(message, remedy="write, for instance, `pkcs11:token=release;object=signing`")
        _check_path_attribute(name, value, attributes)
        attributes[name] = value
    return attributes


def _check_path_attribute(name: str, value: str, earlier: Mapping[str, str]) -> None:
    if name in earlier:
        message = f"a pkcs11: reference sets `{name}` twice"
        raise ConfigurationError(message, remedy="leave one (RFC 7512 §2.3)")
    if name not in _PATH_ATTRIBUTES:
        # RFC 7512 §2.5: an attribute that is not recognised matches nothing, vendors' own included. That is an error
        # here, as "no key was found" would send people to their token.
        message = f"a pkcs11: reference holds `{name}`, to which no token or key can answer"
        raise ConfigurationError(message, remedy=f"before the `?` it may hold {', '.join(sorted(_PATH_ATTRIBUTES))}")
    if not _PATH_VALUE.match(value):
        message = f"a pkcs11: reference holds a character in `{name}` that must be percent-encoded, or a broken encoding"
        raise ConfigurationError(message, remedy="write a space as %20, `/` as %2F, `#` as %23, `%` as %25 and é as %C3%A9")


def decoded_text(attributes: Mapping[str, str], name: str) -> str | None:
    """Return the attribute percent-decoded (UTF-8), held to what its field in PKCS#11 can hold (RFC 7512 §2.3)."""
    if name not in attributes:
        return None
    try:
        text = unquote_to_bytes(attributes[name]).decode("utf-8")
    except UnicodeDecodeError:
        message = f"a pkcs11: reference holds `{name}` in an encoding that is not UTF-8"
        raise ConfigurationError(message, remedy="percent-encode its UTF-8 bytes") from None
    width = _WIDTHS.get(name, LONGEST)
    if len(text.encode()) > width:
        message = f"a pkcs11: reference holds more than {width} bytes in `{name}`, which no token can answer to"
        raise ConfigurationError(message)
    if name == "serial" and not (text.isascii() and (text.isprintable() or not text)):
        message = "a pkcs11: reference holds a `serial` that is not printable ASCII, which no token can answer to"
        raise ConfigurationError(message)
    return text


def token_pattern(attributes: Mapping[str, str]) -> TokenPattern:
    """Return what the attributes say of the token, its slot and its library."""
    return TokenPattern(
        label=decoded_text(attributes, "token"),
        manufacturer=decoded_text(attributes, "manufacturer"),
        model=decoded_text(attributes, "model"),
        serial=decoded_text(attributes, "serial"),
        slot_id=_slot_id(attributes),
        slot_description=decoded_text(attributes, "slot-description"),
        slot_manufacturer=decoded_text(attributes, "slot-manufacturer"),
        library_manufacturer=decoded_text(attributes, "library-manufacturer"),
        library_description=decoded_text(attributes, "library-description"),
        library_version=_library_version(attributes),
    )


def _slot_id(attributes: Mapping[str, str]) -> int | None:
    if "slot-id" not in attributes:
        return None
    if _SLOT_ID.match(attributes["slot-id"]) and int(attributes["slot-id"]) <= _LARGEST_SLOT_ID:
        return int(attributes["slot-id"])
    message = "a pkcs11: reference holds a `slot-id` that is not a decimal number below 2 to the 64"
    raise ConfigurationError(message, remedy="leave it out and name the token: `pkcs11:token=LABEL`")


def _library_version(attributes: Mapping[str, str]) -> tuple[int, int] | None:
    if "library-version" not in attributes:
        return None
    found = _VERSION.match(attributes["library-version"])
    major, minor = (int(found[1]), int(found[2] or 0)) if found else (-1, -1)
    if found and max(major, minor) <= _LARGEST_VERSION:
        return major, minor
    message = "a pkcs11: reference holds a `library-version` that is not MAJOR or MAJOR.MINOR, each at most 255"
    raise ConfigurationError(message)


def key_type(attributes: Mapping[str, str]) -> str | None:
    """Return the type of the object that the reference selects, one that stands for a private key."""
    if "type" not in attributes:
        return None
    kind = attributes["type"].lower()
    if kind in _KEY_TYPES:
        return kind
    found = f"`type={kind}`" if kind in _OTHER_TYPES else "an unknown `type`"
    message = f"a pkcs11: reference selects {found}, which does not sign"
    raise ConfigurationError(message, remedy="leave it out, or write `type=private`")
