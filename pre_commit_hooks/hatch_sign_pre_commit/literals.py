"""PINs, passwords and tokens that are written out where only their source belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from hatch_sign_pre_commit.found import Found, Kind, is_random

_VARIABLES: dict[bytes, Kind] = {
    b"HATCH_SIGN_PIN": "pin",
    b"HATCH_SIGN_SO_PIN": "pin",
    b"COSIGN_PKCS11_PIN": "pin",
    b"COSIGN_PASSWORD": "password",
    b"TWINE_PASSWORD": "password",
    b"HATCH_INDEX_AUTH": "password",
    b"UV_PUBLISH_PASSWORD": "password",
    b"UV_PUBLISH_TOKEN": "access-token",
    b"AZURE_CLIENT_SECRET": "password",
    b"AWS_SECRET_ACCESS_KEY": "access-token",
    b"AWS_SESSION_TOKEN": "access-token",
    b"VAULT_TOKEN": "access-token",
    b"BAO_TOKEN": "access-token",
    b"GITHUB_TOKEN": "access-token",
}
_NAMES = b"|".join(sorted(_VARIABLES, reverse=True))
_ASSIGNED = re.compile(
    rb"(?<![A-Za-z0-9_])(" + _NAMES + rb")(?![A-Za-z0-9_])[\"'\]]{0,3}[ \t]{0,4}(=>|:=|[:=,])[ \t]{0,4}"
    rb"(?:\"([^\"\r\n]{1,300})\"|'([^'\r\n]{1,300})'|([^\s\"'#,;()\[\]{}`]{1,300}))",
)
_CALLED = re.compile(rb"(?:setenv|setdefault|putenv|putEnv|set_var)\([ \t]{0,4}[\"']\Z")
"""What stands before the name where a comma stands after it; elsewhere, names are listed."""
_CODE = (
    ".c",
    ".cc",
    ".cpp",
    ".cs",
    ".go",
    ".h",
    ".java",
    ".js",
    ".kt",
    ".mjs",
    ".php",
    ".pl",
    ".py",
    ".pyi",
    ".rb",
    ".rs",
    ".ts",
)
"""Endings of programs, in which a word without quotes is a name."""

_PIN_VALUE = re.compile(rb"[?&;/:]pin-?value\s{0,4}=\s{0,4}([^\s\"'`&;<>|]{1,300})", re.IGNORECASE)
_PIN_SOURCE = re.compile(rb"[?&;]pin-source\s{0,4}=\s{0,4}([^\s\"'`&;<>|]{1,300})", re.IGNORECASE)
_DIGITS = re.compile(rb"[0-9]{4,}")
_PYPIRC = re.compile(rb"^[ \t]*password[ \t]*[:=][ \t]*([^\s]{1,300})", re.MULTILINE)
_PYPIRC_SECTION = re.compile(rb"^\[distutils\]", re.MULTILINE)
_AWS = re.compile(rb"aws_secret_access_key[\"']?\s{0,4}[:=]\s{0,4}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])", re.IGNORECASE)

_TOKENS: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b"pypi-Ag", re.compile(rb"pypi-Ag[A-Za-z0-9_-]{60,}"), "an upload token of PyPI"),
    (b"github_pat_", re.compile(rb"github_pat_[A-Za-z0-9_]{50,}"), "a token of GitHub"),
    (b"gh", re.compile(rb"(?<![A-Za-z0-9_])gh[pousr]_[A-Za-z0-9]{36,}"), "a token of GitHub"),
    (b"glpat-", re.compile(rb"glpat-[A-Za-z0-9_.-]{20,}"), "a token of GitLab"),
    (b"hvs.", re.compile(rb"(?<![A-Za-z0-9_.])hv[sb]\.[A-Za-z0-9_-]{24,}"), "a token of Vault"),
)

_PLACEHOLDER = re.compile(
    rb"[$%<{(`*@~\\].*|.*(?:\$\{|\{\{|\.\.\.|\xe2\x80\xa6).*"
    rb"|(?:your|my|the|some|a|an|access|example|dummy|fake|test|sample|placeholder|secret|pass|token|insert|replace|change|put)"
    rb"(?:[-_ .].*)?|(?:password|passphrase|pin|changeme|changeit|none|null|true|false|redacted|masked|hidden|unset|todo)",
    re.IGNORECASE | re.DOTALL,
)
_NAME = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Another variable."""
_SHORTEST = 4


def find_literals(data: bytes, name: str) -> Iterator[Found]:
    """Yield each that is written out; `name` is the file's, as a bare word is a value in some files and a name in others."""
    if any(variable in data for variable in _VARIABLES):
        yield from _assigned(data, is_code=name.lower().endswith(_CODE))
    lowered = data.lower()
    if b"pin" in lowered:
        yield from _in_references(data)
    if name.rpartition("/")[2] == ".pypirc" or (b"index-servers" in data and _PYPIRC_SECTION.search(data)):
        found = (match for match in _PYPIRC.finditer(data) if not is_placeholder(match[1]))
        yield from (Found("password", "a password for an index (.pypirc)", match.start()) for match in found)
    if b"aws_secret_access_key" in lowered:
        secrets = (match for match in _AWS.finditer(data) if is_random(match[1]))
        yield from (Found("access-token", "a secret access key of AWS", match.start()) for match in secrets)
    for needle, pattern, what in _TOKENS:
        if needle in data:
            found = (match for match in pattern.finditer(data) if is_random(match[0].partition(b"_")[2] or match[0]))
            yield from (Found("access-token", what, match.start()) for match in found)


def is_placeholder(value: bytes) -> bool:
    """Return whether a value stands for another: a variable, a template, or a word such as ``changeme``."""
    short = len(value) < _SHORTEST or len(set(value)) == 1
    return short or any(pattern.fullmatch(value) for pattern in (_PLACEHOLDER, _NAME))


def _assigned(data: bytes, *, is_code: bool) -> Iterator[Found]:
    for match in _ASSIGNED.finditer(data):
        bare = match[5]
        if bare is not None and is_code:
            continue
        if match[2] == b"," and not _CALLED.search(data, max(match.start() - 24, 0), match.start()):
            continue
        value = match[3] or match[4] or bare
        if not is_placeholder(value):
            name = match[1].decode()
            yield Found(_VARIABLES[match[1]], f"a value for {name}", match.start())


def _in_references(data: bytes) -> Iterator[Found]:
    for match in _PIN_VALUE.finditer(data):
        if not is_placeholder(unquote_to_bytes(match[1])):
            yield Found("pin", "a PIN in a key reference (pin-value)", match.start())
    for match in _PIN_SOURCE.finditer(data):
        if _DIGITS.fullmatch(unquote_to_bytes(match[1])):
            yield Found("pin", "a PIN in a key reference (pin-source)", match.start())
