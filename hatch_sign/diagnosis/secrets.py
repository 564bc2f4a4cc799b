"""Where a secret would come from, without asking anybody for it and without trying it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.custody.secrets import KEYRING_SERVICE, find_secret, own_variables, secret_name
from hatch_sign.diagnosis.checks import failures, ok, warning
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, SecretUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hatch_sign.contract.backends import SecretRequest
    from hatch_sign.diagnosis.checks import Check

_SOURCES = {"env": "in the environment variable {}", "file": "in the file {}", "keyring": "in the keyring, as {}"}


class NoSecrets:
    """The :class:`~hatch_sign.contract.backends.BackendContext` of a look from outside: it has no secret to lend.

    `asked` says whether one was asked for.
    """

    max_concurrency = 1
    stopped = False

    def __init__(self, environ: Mapping[str, str], *, on_warning: Callable[[str], None]) -> None:
        self.asked = False
        self._environ = dict(environ)
        self._on_warning = on_warning

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment as the run began."""
        return self._environ

    def secret(self, request: SecretRequest) -> str:
        """Raise SecretUnavailableError."""
        self.asked = True
        message = f"{secret_name(request)}: it is not asked for without a login"
        raise SecretUnavailableError(message, remedy="repeat with --log-in")

    def rejected(self, request: SecretRequest) -> None:
        """Forget it: nothing was lent that could be wrong."""

    def warn(self, message: str) -> None:
        """Pass the warning on."""
        self._on_warning(message)


def look_for_secret(request: SecretRequest, environ: Mapping[str, str], *, can_ask: bool) -> Iterator[Check]:
    """Yield where the secret would be found, never what it is or how long, and what there is to say of its tries.

    `can_ask` says whether somebody sits at a terminal, who would be asked where there is no other source. The last
    check is the failure, where there is one.
    """
    subject = secret_name(request)
    warnings: list[str] = []
    if request.final_try:
        yield warning(subject, "only one try is left, and a wrong one locks the token", "--spend-final-try tries it")
    if request.at_token:
        yield ok(subject, "it is entered at the token itself")
        return
    if _can_be_read_once(request):
        yield ok(subject, f"{_where(request, environ)}, which is no regular file: it is read when the key is opened")
        return
    try:
        find_secret(request, environ, prompt=None, warn=warnings.append)
    except (SecretUnavailableError, ConfigurationError) as error:
        if can_ask and not _is_configured(request, environ):
            yield warning(subject, "no source holds it: it will be asked for", _how_to_fill(request))
        else:
            message = error.message.removeprefix(f"{subject}: ")
            yield from failures(subject, type(error)(message, remedy=error.remedy or _how_to_fill(request)))
        return
    yield ok(subject, _where(request, environ))
    yield from (warning(subject, text) for text in warnings)


def _can_be_read_once(request: SecretRequest) -> bool:
    """Return whether the secret comes from a pipe or a device: what is read here could not be read at the login."""
    kind, _, rest = (request.source or "").partition(":")
    path = Path(rest.removeprefix("//") if rest.startswith("///") else rest)
    try:
        return kind == "file" and bool(rest) and path.exists() and not (path.is_file() or path.is_dir())
    except (OSError, ValueError):  # looking for it will say what is wrong
        return False


def _is_configured(request: SecretRequest, environ: Mapping[str, str]) -> bool:
    return request.source is not None or any(variable in environ for variable in own_variables(request))


def _where(request: SecretRequest, environ: Mapping[str, str]) -> str:
    """Return the place of a secret that was found, by the order in which it is looked for."""
    if request.source is not None:
        kind, _, rest = request.source.partition(":")
        return _SOURCES[kind].format(display(rest))
    for variable in own_variables(request):
        if variable in environ:
            return _SOURCES["env"].format(variable)
    return _SOURCES["keyring"].format(f"{KEYRING_SERVICE}/{display(request.label)}")


def _how_to_fill(request: SecretRequest) -> str:
    variables = own_variables(request)
    named = f"set {variables[0]}, or " if variables else ""
    return f"{named}name env:NAME, file:PATH or keyring:SERVICE/USER in the reference's pin-source"
