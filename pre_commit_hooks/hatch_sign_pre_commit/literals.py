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
_NAME_OF_ONE = rb"(?<![A-Za-z0-9_])(?P<name>" + _NAMES + rb")(?![A-Za-z0-9_])"
_VALUE = rb"(?:\"(?P<double>[^\"\r\n]{1,300})\"|'(?P<single>[^'\r\n]{1,300})'|(?P<bare>[^\s\"'#,;()\[\]{}`]{1,300}))"
_ASSIGNED = re.compile(_NAME_OF_ONE + rb"\\?[\"'\]]{0,3}[ \t]{0,4}(?P<by>=>|[:?+]?=|[:,])[ \t]{0,4}\\?" + _VALUE)
_BLOCK = re.compile(_NAME_OF_ONE + rb"[\"']?:[ \t]{0,4}[|>][-+0-9]{0,2}[ \t]{0,4}\r?\n[ \t]{1,64}" + _VALUE)
"""A scalar of YAML that begins on the next line (YAML 1.2 §8.1)."""
_PAIRED = re.compile(
    rb"(?:name|key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?" + _NAME_OF_ONE + rb"[\"']?\s{0,4},?\s{0,64}"
    rb"[\"']?value[\"']?\s{0,4}[:=]\s{0,4}" + _VALUE,
    re.IGNORECASE,
)
"""As containers are told their environment: a name, and its value beside it or below."""
_SPACED = re.compile(
    rb"(?:^[ \t]{0,16}ENV|\bsetenv|\bset[ \t]+-[A-Za-z]{1,4}|\bsetx(?:\.exe)?)[ \t]+"
    + _NAME_OF_ONE
    + rb"[ \t]+"
    + _VALUE
    + rb"[ \t]{0,16}(?=\r?$|[;&\\])",
    re.MULTILINE,
)
"""Dockerfile, csh, fish, and Windows."""
_CALLED = re.compile(
    rb"(?:[sS]etenv|setdefault|putenv|putEnv|set_var|SetEnvironmentVariable|\.env|\.put)\([ \t]{0,4}[\"']\Z"
)
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
_AWS = re.compile(
    rb"(?:aws_?secret_?(?:access_?)?|secret_?access_?)key\\?[\"']?\s{0,4}(?:=>|[:=])\s{0,4}\\?[\"']?"
    rb"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    re.IGNORECASE,
)
_AWS_MARKERS = (b"aws_secret", b"awssecret", b"secret_access", b"secretaccess")

_TOKENS: tuple[tuple[bytes, re.Pattern[bytes], str], ...] = (
    (b"pypi-Ag", re.compile(rb"pypi-Ag[A-Za-z0-9_-]{60,}"), "an upload token of PyPI"),
    (b"github_pat_", re.compile(rb"github_pat_[A-Za-z0-9_]{50,}"), "a token of GitHub"),
    (b"gh", re.compile(rb"gh(?<![A-Za-z0-9_]gh)[pousr]_[A-Za-z0-9]{36,}"), "a token of GitHub"),
    (b"glpat-", re.compile(rb"glpat-[A-Za-z0-9_.-]{20,}"), "a token of GitLab"),
    (b"hvs.", re.compile(rb"hv(?<![A-Za-z0-9_.]hv)[sb]\.[A-Za-z0-9_-]{24,}"), "a token of Vault"),
)

_PLACEHOLDER = re.compile(
    rb"[$%<{(`*@~\\].*|.*(?:\$\{|\{\{|\.\.\.|\xe2\x80\xa6).*"
    rb"|(?:your|my|the|some|a|an|access|example|dummy|fake|test|sample|placeholder|secret|pass|token|insert|replace|change|put)"
    rb"(?:[-_ .].*)?|(?:changeme|changeit|none|null|true|false|redacted|masked|hidden|unset|todo|root)"
    rb"|(?:my|your|the|pfx|cert|certificate|key|store|keystore|user)?[-_ ]?(?:password|passwd|passphrase|pass|pwd|pin)"
    rb"|ENC\[.*|!.*|Ag[A-D][A-Za-z0-9+/]{99,}|(?:op|vault|ref\+[a-z]{1,20})://.*|arn:aws[a-z-]*:.*",
    re.IGNORECASE | re.DOTALL,
)
"""Also what is encrypted by SOPS or as a sealed secret, a tag of YAML, and where a secret is kept."""
_NAME = re.compile(rb"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Another variable."""
_SHORTEST = 4


def find_literals(data: bytes, name: str) -> Iterator[Found]:
    """Yield each that is written out; `name` is the file's, as a bare word is a value in some files and a name in others."""
    if any(variable in data for variable in _VARIABLES):
        yield from _assigned(data, is_code=name.lower().endswith(_CODE))
    lowered = data.lower()
    if any(parameter in lowered for parameter in (b"pin-value", b"pinvalue", b"pin-source")):
        yield from _in_references(data)
    if name.rpartition("/")[2] == ".pypirc" or (b"index-servers" in data and _PYPIRC_SECTION.search(data)):
        found = (match for match in _PYPIRC.finditer(data) if not is_placeholder(match[1]))
        yield from (Found("password", "a password for an index (.pypirc)", match.start()) for match in found)
    if any(marker in lowered for marker in _AWS_MARKERS):
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
        if match["by"] != b"," or _CALLED.search(data, max(match.start() - 32, 0), match.start()):
            yield from _named(match, is_code=is_code)
    for pattern in (_BLOCK, _PAIRED, _SPACED):
        for match in pattern.finditer(data):
            yield from _named(match, is_code=is_code)


def _named(match: re.Match[bytes], *, is_code: bool) -> Iterator[Found]:
    """Yield the value of a variable where it is one; a bare word of a program is a name."""
    value = match["double"] or match["single"] or (b"" if is_code else match["bare"])
    name = match["name"].upper()
    if value and not is_placeholder(value):
        yield Found(_VARIABLES[name], f"a value for {name.decode()}", match.start("name"))


def _in_references(data: bytes) -> Iterator[Found]:
    for match in _PIN_VALUE.finditer(data):
        if not is_placeholder(unquote_to_bytes(match[1])):
            yield Found("pin", "a PIN in a key reference (pin-value)", match.start())
    for match in _PIN_SOURCE.finditer(data):
        if _DIGITS.fullmatch(unquote_to_bytes(match[1])):
            yield Found("pin", "a PIN in a key reference (pin-source)", match.start())
