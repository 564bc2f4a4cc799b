"""Which keys there are, and what each may hold. A check returns what is wrong with a value, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from urllib.parse import urlsplit

from hatch_sign.artifacts.naming import SIGNATURE_NAME
from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.protection import ProtectionLevel

Check = Callable[[object], str]
"""Returns what is wrong, as the end of a sentence that begins with the key; empty where nothing is."""

Schema = Mapping[str, Check]

_TYPE_NAMES: Mapping[type, str] = MappingProxyType(
    {
        str: "a string",
        bool: "true or false",
        int: "an integer",
        float: "a number",
        list: "an array",
        dict: "a table",
        datetime: "a date with a time",
        date: "a date",
        time: "a time",
    },
)
_NOT_IN_TAGS = re.compile(r"[\s~^:?*\[\]\\{}'\"`$]|\.\.|@\{|//|/\.|^[-/.]|\.lock$|[/.]$")
"""git-check-ref-format, and what a shell would read."""
_PROJECT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Names and normalization, in the specifications of PyPA."""
_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def of_type(expected: type) -> Check:
    """Return the check for values of exactly one TOML type: true is no integer."""

    def check(value: object) -> str:
        return "" if type(value) is expected else _expected(_TYPE_NAMES.get(expected, expected.__name__), value)

    return check


def text(value: object) -> str:
    """Check a string of one line that is not empty."""
    if not isinstance(value, str):
        return _expected("a string", value)
    if not value.strip():
        return "is empty"
    return "holds a control character" if _NOT_PRINTABLE.search(value) else ""


def texts(value: object) -> str:
    """Check an array of one or more different strings."""
    return _each(value, text) or ("" if value else "is empty, expected at least one")


def texts_or_none(value: object) -> str:
    """Check an array of different strings, which may be empty."""
    return _each(value, text)


def names(value: object) -> str:
    """Check an array of one or more different names of signatures."""
    return _each(value, signature_name) or ("" if value else "is empty, expected at least one")


def project_names(value: object) -> str:
    """Check an array of one or more different names of projects."""
    return _each(value, _project_name) or ("" if value else "is empty, expected at least one")


def tables(value: object) -> str:
    """Check an array of one or more tables, of which each is checked by itself."""
    if isinstance(value, dict):
        return "is a table, expected an array of them: write [[ and ]] around its name"
    return of_type(list)(value) or ("" if value else "is empty; leave it out")


def file_or_pem(value: object) -> str:
    """Check the name of a file, or PEM text in its place."""
    if isinstance(value, str) and "-----BEGIN " in value:
        return ""
    return text(value)


def signature_name(value: object) -> str:
    """Check the name of a signature, which becomes part of file names."""
    if not isinstance(value, str):
        return _expected("a string", value)
    fits = SIGNATURE_NAME.fullmatch(value) is not None
    return "" if fits else f"is '{display(value)}', expected at most 64 lower-case letters, digits and hyphens"


def tag_pattern(value: object) -> str:
    """Check how a version stands in a tag: once, as ``{version}``, among what a git reference may hold."""
    if problem := text(value):
        return problem
    around = str(value).split("{version}")
    if len(around) != 2:  # noqa: PLR2004 - what stands before it, and after it
        return f"is '{display(value)}', expected `{{version}}` in it once"
    return "holds what no tag may hold" if _NOT_IN_TAGS.search("0".join(around)) else ""


def key_reference(value: object) -> str:
    """Check a key reference. What is wrong never repeats it: it might hold a PIN."""
    if not isinstance(value, str):
        return _expected("a string", value)
    try:
        parse_reference(value)
    except ConfigurationError as error:
        return str(error)
    return ""


def addresses(value: object) -> str:
    """Check an array of one or more different http and https addresses without a password."""
    if isinstance(value, list) and any("@" in str(item) for item in value):
        return "holds a password before the host of an address (an @), which logs would show"
    return texts(value) or _each(value, _address)


def protection_level(value: object) -> str:
    """Check the name of a protection level."""
    levels = [level.value for level in ProtectionLevel]
    return "" if value in levels else f"is {_shown(value)}, expected one of {', '.join(levels)}"


def instant(value: object) -> str:
    """Check a date, or a date with a time and an offset."""
    if isinstance(value, datetime):
        return "" if value.tzinfo else "is a time without an offset; write `Z` after it for UTC"
    return "" if isinstance(value, date) else _expected("a date, such as 2027-12-31, without quotes", value)


SIGNATURE: Schema = {
    "key": key_reference,
    "certificates": text,
    "formats": texts,
    "include": texts,
    "timestamp": addresses,
    "timestamp-optional": of_type(bool),
    "log": addresses,
}
"""Keys of a signature: at the top, or in a ``[[signature]]`` table, which may also have a name."""

NAMED_SIGNATURE: Schema = {"name": signature_name, **SIGNATURE}

TOP: Schema = {
    **SIGNATURE,
    "signature": tables,
    "contents": of_type(dict),
    "verify": of_type(dict),
    "publish": tables,
    "release": of_type(dict),
    "build": of_type(dict),
    "output-directory": text,
    "observers": texts_or_none,
    "audit-file": text,
    "minimum-protection": protection_level,
}

CONTENTS: Schema = {
    **{key: check for key, check in SIGNATURE.items() if key != "log"},  # which has no place in files
    "exclude": texts_or_none,
    "replace-signatures": of_type(bool),
}
"""Keys of what is signed inside wheels."""

VERIFY: Schema = {
    "require": texts,
    "signatures": names,
    "timestamp-roots": file_or_pem,
    "trusted-root": text,
    "trust": tables,
}

PUBLISH: Schema = {"to": text, "name": signature_name}
"""Keys that every place to publish to may have, beside those of its publisher."""

RELEASE: Schema = {"expect": texts, "tag": tag_pattern, "projects": project_names}
"""Keys of what a release is held against before it leaves."""

BUILD: Schema = {"backend": text, "backend-path": texts, "requires": texts_or_none}
"""Keys of the build backend that ours wraps."""

TRUST: Schema = {"formats": texts, "artifacts": texts, "signatures": texts, "not-before": instant, "not-after": instant}
"""Keys that every trust rule may have, beside those of its kind."""


def _project_name(value: object) -> str:
    fits = isinstance(value, str) and _PROJECT_NAME.fullmatch(value)
    return text(value) or ("" if fits else f"is '{display(value)}', which is no project's name")


def _address(value: object) -> str:
    written = str(value)
    if not written.isprintable() or " " in written:  # urlsplit drops some of them, and what connects stumbles over others
        return "holds white space or a control character"
    try:
        parts = urlsplit(written)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # also for a port that is none
        return f"is '{display(value)}', which is not an address"
    return "" if fits else f"is '{display(value)}', expected an address that begins with https:// or http://"


def _each(value: object, check: Check) -> str:
    if not isinstance(value, list):
        return _expected("an array of strings", value)
    seen: set[object] = set()
    for index, item in enumerate(value):
        if problem := check(item):
            return f"is wrong in its item {index + 1}, which {problem}"
        if item in seen:
            return f"holds '{display(item)}' twice"
        seen.add(item)
    return ""


def _expected(what: str, value: object) -> str:
    return f"is {_TYPE_NAMES.get(type(value), type(value).__name__)}, expected {what}"


def _shown(value: object) -> str:
    return f"'{display(value)}'" if isinstance(value, str) else _TYPE_NAMES.get(type(value), "something else")
