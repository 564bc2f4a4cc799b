"""Where PINs and credentials come from. The first source that is configured answers; it never falls through to the next."""

from __future__ import annotations

import os
import re
import stat
import sys
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, SecretUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hatch_sign.contract.backends import SecretRequest

LARGEST_FILE = 4096
"""Bytes in a file that holds a secret; a larger one is the wrong file."""

KEYRING_SERVICE = "hatch-sign"
"""The service under which the keyring is asked when nothing else was configured; the user is the request's label."""

_OWN_VARIABLES = {"pin": "HATCH_SIGN_PIN", "so-pin": "HATCH_SIGN_SO_PIN"}
_NAMES = {"pin": "PIN", "so-pin": "SO PIN", "token": "credential"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def find_secret(
    request: SecretRequest,
    environ: Mapping[str, str],
    *,
    prompt: Callable[[str], str] | None,
    warn: Callable[[str], None],
) -> str:
    """Return the secret from the first source that is configured.

    The order: the reference's ``pin-source``; ``HATCH_SIGN_PIN`` (for an SO PIN ``HATCH_SIGN_SO_PIN``); the variables of
    the request; the keyring, where the extra is installed and holds it; `prompt`, where there is somebody to ask.

    Raises SecretUnavailableError for a configured source that is empty or missing, and where there is no source;
    ConfigurationError for a ``pin-source`` that is none. Neither repeats a value.
    """
    if request.source is not None:
        return _from_source(request.source, request, environ, warn)
    for variable in own_variables(request):
        if variable in environ:
            return _filled(environ[variable], f"the environment variable {variable}", request)
    return _from_default_keyring(request) or _from_prompt(request, prompt)


def own_variables(request: SecretRequest) -> tuple[str, ...]:
    """Return the environment variables that may hold the secret, in the order in which they are looked at."""
    own = _OWN_VARIABLES.get(request.kind)
    return (own, *request.variables) if own else request.variables


def secret_name(request: SecretRequest) -> str:
    """Return what is asked for, as people read it: ``PIN of emulated token release``."""
    return f"{_NAMES[request.kind]} of {display(request.label)}"


def _from_source(source: str, request: SecretRequest, environ: Mapping[str, str], warn: Callable[[str], None]) -> str:
    kind, _, rest = source.partition(":")
    if kind == "env" and _VARIABLE.match(rest):
        return _filled(environ.get(rest), f"pin-source env:{rest}", request)
    if kind == "file" and rest:
        return _filled(_read_file(rest, request, warn), f"pin-source file:{display(rest)}", request)
    if kind == "keyring" and all(rest.partition("/")):
        service, _, user = rest.partition("/")
        return _filled(_read_keyring(service, user, request), f"pin-source keyring:{display(rest)}", request)
    # The value is not repeated: somebody may have written the PIN itself there.
    message = f"{display(request.reference)}: its pin-source is none of env:NAME, file:PATH and keyring:SERVICE/USER"
    raise ConfigurationError(message)


def _filled(value: str | None, source: str, request: SecretRequest) -> str:
    if value:
        return value
    found = "is not set" if value is None else "is empty"
    message = f"{secret_name(request)}: {source} {found}"
    raise SecretUnavailableError(message, remedy="fill it, or remove it so that the next source is asked")


def _read_file(path: str, request: SecretRequest, warn: Callable[[str], None]) -> str:
    path = path.removeprefix("//") if path.startswith("///") else path
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (the same call on a path from /dev/fd)
            _warn_if_others_may_read(os.fstat(file.fileno()).st_mode, path, warn)
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "not a path"
        message = f"{secret_name(request)}: pin-source file:{display(path)} cannot be read: {problem}"
        raise SecretUnavailableError(message) from None
    return _decode(content, path, request)


def _decode(content: bytes, path: str, request: SecretRequest) -> str:
    try:
        if len(content) <= LARGEST_FILE:
            return content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        pass  # The exception holds the content, so that it must not be part of a chain.
    message = f"{secret_name(request)}: pin-source file:{display(path)} is not UTF-8 text of at most {LARGEST_FILE} bytes"
    raise SecretUnavailableError(message)


def _warn_if_others_may_read(mode: int, path: str, warn: Callable[[str], None]) -> None:
    if sys.platform != "win32" and stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
        warn(f"{display(path)} holds a secret and others may read it (mode {stat.S_IMODE(mode):04o}): chmod 600 it")


def _read_keyring(service: str, user: str, request: SecretRequest) -> str | None:
    try:
        import keyring  # noqa: PLC0415 (an extra, and slow)
    except ImportError:
        message = f"{secret_name(request)}: pin-source keyring: needs the keyring package, which is not installed"
        raise SecretUnavailableError(message, remedy="pip install keyring") from None
    try:
        return keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 (each keyring raises what it likes, and its text is not ours to show)
        problem = type(error).__name__
    message = f"{secret_name(request)}: the keyring refused ({problem})"
    raise SecretUnavailableError(message, remedy="unlock the keyring, or use another pin-source")


def _from_default_keyring(request: SecretRequest) -> str | None:
    # Nobody configured it, so that its absence, or a desktop without one, is no mistake.
    try:
        return _read_keyring(KEYRING_SERVICE, request.label, request)
    except SecretUnavailableError:
        return None


def _from_prompt(request: SecretRequest, prompt: Callable[[str], str] | None) -> str:
    tried = ", ".join(("pin-source", *own_variables(request)))
    if prompt is None:
        message = f"{secret_name(request)}: no source holds it ({tried}), and there is no terminal to ask on"
        raise SecretUnavailableError(message, remedy=f"set {own_variables(request)[0]}" if own_variables(request) else "")
    try:
        answer = prompt(f"{secret_name(request)}: ")
    except EOFError:
        answer = ""
    if answer:
        return answer
    message = f"{secret_name(request)}: the answer is empty"
    raise SecretUnavailableError(message, remedy="start again, and type it")


def choose_secret(
    request: SecretRequest,
    environ: Mapping[str, str],
    *,
    prompt: Callable[[str], str] | None,
    new: bool = False,
) -> str:
    """Return a secret that is being set, not tried: from its environment variable, or asked for twice.

    Raises SecretUnavailableError where there is neither, or the two answers differ.
    """
    for variable in own_variables(request):
        if variable in environ:
            return _filled(environ[variable], f"the environment variable {variable}", request)
    first = _from_prompt(request, _with_word("new ", prompt) if new else prompt)
    if first == _from_prompt(request, _with_word("again: ", prompt)):
        return first
    message = f"{secret_name(request)}: the two answers differ"
    raise SecretUnavailableError(message, remedy="start again")


def _with_word(word: str, prompt: Callable[[str], str] | None) -> Callable[[str], str] | None:
    return None if prompt is None else lambda question: prompt(f"{word}{question}")
