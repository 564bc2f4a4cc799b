"""Passwords and PINs on the command lines of programs that sign."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hatch_sign_pre_commit.found import Found, Kind
from hatch_sign_pre_commit.literals import is_placeholder

_COMMAND = re.compile(
    rb"(?<![A-Za-z0-9_])(signtool|jsign|osslsigncode|azuresigntool|jarsigner|pkcs11-tool)(?:\.exe|\.jar)?(?![A-Za-z0-9_-])",
    re.IGNORECASE,
)
_REST = re.compile(rb"(?:[^\r\n]|(?<=[\\^`])\r?\n){0,1000}")
"""The rest of a command: a backslash, a caret or a grave accent continues it on the next line."""

_STORE_PASSWORDS = rb"(?:--?)?(?:storepass|keypass)"
_OPTIONS: dict[bytes, tuple[bytes, Kind]] = {
    b"signtool": (rb"[/-]p", "password"),
    b"jsign": (_STORE_PASSWORDS, "password"),
    b"jarsigner": (_STORE_PASSWORDS, "password"),
    b"osslsigncode": (rb"-pass", "password"),
    b"azuresigntool": (rb"(?:-kvs|--azure-key-vault-client-secret)", "password"),
    b"pkcs11-tool": (rb"(?:--pin|--so-pin|--new-pin|-p)", "pin"),
}
_VALUE = (
    rb"(?:(?:[ \t]{1,8}|[ \t]?[=:][ \t]?)(?:\"([^\"\r\n]{1,300})\"|'([^'\r\n]{1,300})'|([^\s\"'#,;()\[\]{}`]{1,300}))"
    rb"|[\"'][ \t]{0,4},\s{0,64}[\"']([^\"'\r\n]{1,300})[\"'])"
)
"""What follows an option: on a command line, or in a list of strings, as programs are given it."""
_GIVEN = {tool: (re.compile(rb"(?<=[\s\"'])" + option + _VALUE), kind) for tool, (option, kind) in _OPTIONS.items()}
_CONTAINER = re.compile(rb"\{\{([^{}\r\n]{4,100})\}\}\]=")
"""A PIN in the name of a container of keys, as drivers of SafeNet take it from signtool."""

_NO_VALUE = re.compile(rb"(?:env|file|pass|keyring):.*|options?|arguments?|flags?|parameters?|and|with", re.IGNORECASE)
"""Where a password is, and words that follow the name of an option in prose."""
_DEFAULTS = frozenset({b"0000", b"000000", b"1234", b"12345", b"123456", b"12345678", b"87654321", b"648219"})
"""PINs that tokens for trials and the documentation of pkcs11-tool have: nobody keeps anything behind them."""


def find_command_lines(data: bytes) -> Iterator[Found]:
    """Yield each that is written out after its option."""
    lowered = data.lower()
    if not any(tool in lowered for tool in _GIVEN):
        return
    ends: dict[bytes, int] = {}
    for match in _COMMAND.finditer(data):
        tool = match[1].lower()
        if match.start() < ends.get(tool, 0):
            continue  # it stands in what was looked at for the same options
        rest = _REST.match(data, match.end())
        end = ends[tool] = rest.end() if rest is not None else match.end()
        pattern, kind = _GIVEN[tool]
        for given in pattern.finditer(data, match.end(), end):
            value = next(group for group in given.groups() if group is not None)
            if not (is_placeholder(value) or _NO_VALUE.fullmatch(value) or (kind == "pin" and value in _DEFAULTS)):
                yield Found(kind, f"a {_WORDS[kind]} on the command line of {tool.decode()}", given.start())
        for given in _CONTAINER.finditer(data, match.end(), end):
            if not is_placeholder(given[1]):
                yield Found("pin", f"a PIN on the command line of {tool.decode()}", given.start())


_WORDS = {"pin": "PIN", "password": "password"}
