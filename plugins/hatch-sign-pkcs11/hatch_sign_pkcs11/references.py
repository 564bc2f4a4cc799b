"""Key references of PKCS#11, read and written as RFC 7512 says; pure, and without a PKCS#11 library."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from hatch_sign.contract.references import LONGEST, parse_reference, without_query
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.path_attributes import decoded_text, key_type, split_path, token_pattern
from hatch_sign_pkcs11.token_facts import TokenFacts, TokenPattern, encode_text, same_text, without_padding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.contract.references import KeyReference

__all__ = [
    "COSIGN_IGNORE_CERTIFICATE_VARIABLE",
    "COSIGN_MODULE_VARIABLE",
    "COSIGN_PIN_VARIABLE",
    "MODULE_VARIABLE",
    "Pkcs11Reference",
    "TokenFacts",
    "TokenPattern",
    "encode_reference",
    "ignores_certificates",
    "parse_pkcs11_reference",
]

MODULE_VARIABLE = "HATCH_SIGN_PKCS11_MODULE"
"""The environment variable that names the module, by its absolute path or by its name."""

COSIGN_MODULE_VARIABLE = "COSIGN_PKCS11_MODULE_PATH"
"""cosign's own, honoured after ours; an absolute path."""

COSIGN_IGNORE_CERTIFICATE_VARIABLE = "COSIGN_PKCS11_IGNORE_CERTIFICATE"
"""cosign's switch: the certificates on the token are not to be used."""

COSIGN_PIN_VARIABLE = "COSIGN_PKCS11_PIN"
"""cosign's PIN, a source of the PIN after ``HATCH_SIGN_PIN``."""

_QUERY_ATTRIBUTES = ("module-name", "module-path", "pin-source")
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MODULE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}\Z")


@dataclass(frozen=True, slots=True)
class Pkcs11Reference:
    """A ``pkcs11:`` reference, taken apart: which token, which key on it, and by which module.

    What is None was not said, and everything answers to it; an empty value was said, and only an empty one answers
    (RFC 7512 §2.3, §2.5). `module_origin` says in words who named the module; `text` is the reference without its query,
    fit for messages.
    """

    text: str
    token: TokenPattern
    object: str | None = None
    id: bytes | None = None
    type: str | None = None
    module_path: str | None = None
    module_name: str | None = None
    module_origin: str | None = None
    pin_source: str | None = None

    def selects(self, *, label: str, key_id: bytes) -> bool:
        """Whether a key of this CKA_LABEL and CKA_ID answers to the reference.

        Labels are compared in Unicode's normal form C: PKCS#11 does not say in which one a token keeps them, so that a
        token that is searched by label may not find what is there (RFC 7512 §2.5).
        """
        return (self.object is None or same_text(self.object, label)) and (self.id is None or self.id == key_id)


def parse_pkcs11_reference(reference: str, environ: Mapping[str, str]) -> Pkcs11Reference:
    """Take `reference` apart; where it names no module, `environ` may.

    The module is the reference's ``module-path`` or ``module-name``, else ``HATCH_SIGN_PKCS11_MODULE``, else
    ``COSIGN_PKCS11_MODULE_PATH``. `type` may be ``private``, or ``public`` or ``cert``, which mean the private key of that
    label and id: it is what other tools print for a key pair.

    Raises ConfigurationError for a reference that is not well-formed, that holds a PIN, that says something twice, that
    PKCS#11 could never answer to (RFC 7512 §2.3), or that holds an attribute that nobody would honour. Its message repeats
    the names of attributes, never their values.
    """
    # The path comes first: it may hold a PIN under a wrong name, and messages about the query repeat the path.
    path = parse_reference(without_query(reference))
    if path.scheme != "pkcs11":
        message = f"a {path.scheme}: reference was given to the backend for pkcs11:"
        raise ConfigurationError(message)
    attributes = split_path(path.path)
    settings = _read_query(parse_reference(reference), reference)
    module_path, module_name, origin = _named_module(settings, environ)
    return Pkcs11Reference(
        text=path.name,
        token=token_pattern(attributes),
        object=decoded_text(attributes, "object"),
        id=unquote_to_bytes(attributes["id"]) if "id" in attributes else None,
        type=key_type(attributes),
        module_path=module_path,
        module_name=module_name,
        module_origin=origin,
        pin_source=settings.get("pin-source"),
    )


def ignores_certificates(environ: Mapping[str, str]) -> bool:
    """Whether the user told cosign, and so us, to leave the certificates on the token alone."""
    # cosign asks Go's strconv.ParseBool, for which these are true.
    return environ.get(COSIGN_IGNORE_CERTIFICATE_VARIABLE, "") in {"1", "t", "T", "true", "TRUE", "True"}


def encode_reference(
    facts: TokenFacts,
    *,
    label: str | None = None,
    key_id: bytes | None = None,
    module_path: str | None = None,
    module_name: str | None = None,
    pin_source: str | None = None,
) -> str:
    """Return the reference that opens this key of this token again; always the same text for the same key.

    The token is named by label and serial number, and by its slot only where it has neither: a slot's number may change
    (RFC 7512 §2.3). A value that :func:`parse_pkcs11_reference` would refuse is left out. Raises ConfigurationError where
    the reference would be longer than any may be.
    """
    path = _join(";", {**_token_attributes(facts), **_object_attributes(label, key_id)})
    settings = {
        "module-path": _checked_path(module_path, "the path of the PKCS#11 module"),
        "module-name": _checked_name(module_name),
        "pin-source": pin_source,
    }
    said = {name: encode_text(value, safe="/:") for name, value in settings.items() if value is not None}
    query = _join("&", said)
    reference = f"pkcs11:{path}?{query}" if query else f"pkcs11:{path}"
    if len(reference) > LONGEST:
        message = f"the reference of a key on token {facts.describe()} would have more than {LONGEST} characters"
        raise ConfigurationError(
            message, remedy="move the PKCS#11 module to a shorter path, or give the key a shorter label"
        )
    return reference


def _read_query(parsed: KeyReference, reference: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    for name, value in parsed.query.items():
        if name.lower() in settings:
            message = f"{parsed.name}: its query sets `{name.lower()}` twice"
            raise ConfigurationError(message, remedy="leave one")
        settings[name.lower()] = value
    # RFC 7512 §2.5 would ignore what it does not know. But a misspelt `pin-source` that is ignored spends a try of
    # another PIN, and a misspelt `module-path` loads another library: the SHOULD is not followed.
    type(parsed)(parsed.scheme, parsed.path, settings).require_known(*_QUERY_ATTRIBUTES)
    raw = reference.partition("?")[2]
    if _BROKEN_PERCENT.search(raw) or "\ufffd" in "".join(settings.values()):
        message = f"{parsed.name}: its query is not percent-encoded UTF-8"
        raise ConfigurationError(message, remedy="write `%` as %25 and é as %C3%A9")
    return settings


def _named_module(settings: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """Return the module's path and name, as far as they were said, and who said so."""
    path, name = settings.get("module-path"), settings.get("module-name")
    if path is not None or name is not None:
        origin = "the reference's module-path" if path is not None else "the reference's module-name"
        return _checked_path(path, origin), _checked_name(name), origin
    if ours := environ.get(MODULE_VARIABLE):
        if "/" in ours or "\\" in ours:
            return _checked_path(ours, MODULE_VARIABLE), None, MODULE_VARIABLE
        return None, _checked_name(ours), MODULE_VARIABLE
    if theirs := environ.get(COSIGN_MODULE_VARIABLE):
        return _checked_path(theirs, COSIGN_MODULE_VARIABLE), None, COSIGN_MODULE_VARIABLE
    return None, None, None


def _checked_path(path: str | None, origin: str) -> str | None:
    if path is None or (path and path.isprintable() and len(path) <= LONGEST):
        return path
    message = f"{origin} is empty, or holds characters that no path has"
    raise ConfigurationError(message, remedy="give the absolute path of the PKCS#11 module")


def _checked_name(name: str | None) -> str | None:
    if name is None or _MODULE_NAME.match(name):
        return name
    message = "the name of a PKCS#11 module is not letters, digits, `.`, `_`, `+` and `-`"
    raise ConfigurationError(
        message, remedy="name it as p11-kit or its file does, without a folder, or give its `module-path`"
    )


def _token_attributes(facts: TokenFacts) -> dict[str, str]:
    texts = {"token": without_padding(facts.label), "serial": without_padding(facts.serial)}
    named = _readable({name: encode_text(text) for name, text in texts.items() if text})
    return named or {"slot-id": str(facts.slot_id)}


def _object_attributes(label: str | None, key_id: bytes | None) -> dict[str, str]:
    attributes = {} if key_id is None else {"id": "".join(f"%{byte:02X}" for byte in key_id)}
    if label is not None:
        attributes["object"] = encode_text(label)
    readable = _readable(attributes)
    # An empty value selects a key whose own is empty; beside one that is not, it says nothing more.
    return {name: value for name, value in readable.items() if value} or readable


def _readable(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that :func:`parse_pkcs11_reference` would take."""
    readable = {}
    for name, value in attributes.items():
        with suppress(ConfigurationError):
            parse_pkcs11_reference(f"pkcs11:{name}={value}", {})
            readable[name] = value
    return readable


def _join(separator: str, attributes: Mapping[str, str]) -> str:
    return separator.join(f"{name}={value}" for name, value in attributes.items())
