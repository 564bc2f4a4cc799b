"""Find an executable, and make the environment that it runs in."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hatch_sign.contract.executables import ALLOW_VARIABLE, allowed_executables
from hatch_sign.values.errors import ConfigurationError, CustodyError
from hatch_sign_kms.executables.calls import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITHHELD_PREFIXES = (
    *("HATCH_", "SIGNSERVER_", "TWINE_", "FLIT_", "PDM_PUBLISH_", "PIP_", "POETRY_"),
    *("UV_PUBLISH_", "UV_INDEX", "UV_DEFAULT_INDEX"),
)
_WITHHELD_NAMES = frozenset({"COSIGN_PASSWORD", "UV_EXTRA_INDEX_URL"})
_WITHHELD_WORDS = frozenset({"PASSPHRASE", "PIN", "PYPI", "TESTPYPI"})
_WITHHELD_ENDINGS = ("FIND_LINKS", "PASSPHRASE", "PIN")
_SECRET_ENDINGS = ("AUTH", "CREDENTIAL", "CREDENTIALS", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "SECRET", "TOKEN")
_SECRET_WORDS = frozenset(_SECRET_ENDINGS) | _WITHHELD_WORDS
_SHORTEST_SECRET = 4
_LOGIN = re.compile(r"(?<=://)[^/?#\s@]*:(?P<password>[^/?#\s]*)(?=@)")
"""User and password of a URL (RFC 3986 §3.2.1); a password may hold an ``@`` that was not escaped."""


def require_allowed(name: str, environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError unless the environment allows the executable of this name."""
    if name not in allowed_executables(environ):
        message = f"{name}: the executable {PREFIX}{name} may not be run"
        raise ConfigurationError(message, remedy=f"where you trust it, set {ALLOW_VARIABLE}={name} outside the project")


def find_executable(name: str, environ: Mapping[str, str], *, directory: str) -> str:
    """Return the path of ``sigstore-kms-NAME``: the first on an absolute entry of PATH that is not `directory`.

    `directory` is the working directory, where whoever wrote a project may have put a program. Raises CustodyError.
    """
    file_name = PREFIX + name + (".exe" if sys.platform == "win32" else "")
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        if os.path.isabs(entry) and not _is_same_folder(entry, directory):  # noqa: PTH117 - as PATH has it, a text
            path = os.path.join(entry, file_name)  # noqa: PTH118 - as above
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 - as above
                return path
    message = f"{name}: there is no {file_name} on an absolute entry of PATH outside the working directory"
    raise CustodyError(message, remedy="install it as for cosign")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without what is none of an executable's business: our settings, PINs, credentials of indexes.

    A token, a password or a key that is named for nothing of these stays: it may be what the executable logs in by.
    """
    return {name: value for name, value in environ.items() if not _is_withheld(name.upper())}


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with the secrets in `environ` replaced, line by line, for programs quote what they got.

    They are the values of variables that are named like a secret, and the passwords in URLs, of any variable or in the text.
    """
    secrets = {part for name, value in environ.items() for part in _secret_parts(name.upper(), value)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return _LOGIN.sub("***", text)


def _secret_parts(name: str, value: str) -> list[str]:
    passwords = [login["password"] for login in _LOGIN.finditer(value)]
    is_secret = name.endswith(_SECRET_ENDINGS) or not _SECRET_WORDS.isdisjoint(name.split("_"))
    whole = [value, *map(str.strip, value.splitlines())] if is_secret else []
    return [*whole, *passwords, *map(unquote, passwords)]


def _is_withheld(name: str) -> bool:
    is_named = name.startswith(_WITHHELD_PREFIXES) or name.endswith(_WITHHELD_ENDINGS) or name in _WITHHELD_NAMES
    return is_named or not _WITHHELD_WORDS.isdisjoint(name.split("_"))


def _is_same_folder(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
