"""Where an identity token comes from: what the reference names, the environment, the provider of a build, or a browser."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sigstore.errors import Error
from sigstore.oidc import IdentityToken, Issuer, IssuerError, detect_credential

from hatch_sign.remote import Failure, FailureKind
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, SecretUnavailableError
from hatch_sign_sigstore.signing.translate import token_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign.remote import ServiceCaller
    from hatch_sign_sigstore.signing.patience import Patience
    from hatch_sign_sigstore.signing.reference import SigstoreReference

VARIABLES = ("HATCH_SIGN_IDENTITY_TOKEN", "SIGSTORE_ID_TOKEN")
"""The variables that are looked at, in this order."""
LARGEST_FILE = 1 << 16
"""Bytes of a file that holds a token."""

PROVIDERS = {
    "GITHUB_ACTIONS": "GitHub Actions",
    "GITLAB_CI": "GitLab CI/CD",
    "CIRCLECI": "CircleCI",
    "BUILDKITE": "Buildkite",
    "GOOGLE_SERVICE_ACCOUNT_NAME": "Google Cloud",
}
"""Providers of identities for builds, by the variable from which they are known."""

_GITHUB_REMEDY = "give the job `permissions: id-token: write`; pull requests from forks never get it"
_GITLAB_REMEDY = "add to the job `id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}`"


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that holds a token, or should: `found` is None where it holds none, `problem` says why."""

    label: str
    found: str | None = field(default=None, repr=False)
    problem: str = ""


def configured_origin(reference: SigstoreReference, environ: Mapping[str, str]) -> Origin | None:
    """Return what the reference or the environment names, whether a token is there or not; None where they name nothing."""
    if reference.token_source is not None:
        kind, _, rest = reference.token_source.partition(":")
        return _from_variable(rest, environ) if kind == "env" else _from_file(rest)
    return next((_from_variable(name, environ) for name in VARIABLES if name in environ), None)


def require_permission(environ: Mapping[str, str], name: str) -> None:
    """Raise SecretUnavailableError in a build whose provider gives identities, but not to this job."""
    if environ.get("GITHUB_ACTIONS") and not environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        message = f"{name}: GitHub Actions gives this job no identity token"
        raise SecretUnavailableError(message, remedy=_GITHUB_REMEDY)
    if environ.get("GITLAB_CI"):  # the variable would have been found before
        message = f"{name}: GitLab CI/CD gave this job no identity token"
        raise SecretUnavailableError(message, remedy=_GITLAB_REMEDY)


def person_is_there() -> bool:
    """Return whether somebody sits at a terminal, who can use a browser."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


class TokenSource:
    """Gives the identity token of a run, and another when it is asked again: for one that was given, the same."""

    def __init__(
        self,
        reference: SigstoreReference,
        environ: Mapping[str, str],
        *,
        caller: ServiceCaller,
        patience: Patience,
        oidc_url: Callable[[], str],
    ) -> None:
        """Ask nobody yet. `oidc_url` says where a person proves who they are."""
        self._reference = reference
        self._environ = environ
        self._caller = caller
        self._patience = patience
        self._oidc_url = oidc_url
        self._asked_person = False

    def fetch(self) -> IdentityToken:
        """Return a token that is valid now.

        Raises SecretUnavailableError where none is to be had, SecretRejectedError for one that is expired or no such token,
        CustodyError where the provider of a build or the issuer failed.
        """
        origin = configured_origin(self._reference, self._environ)
        if origin is not None:
            return self._parse(self._filled(origin), origin.label)
        require_permission(self._environ, self._reference.name)
        ambient = self._caller.call(lambda: self._patience.call(self._detect))
        if ambient is not None:
            return self._parse(ambient, "of the build")
        return self._ask_person()

    def _filled(self, origin: Origin) -> str:
        if origin.found is not None:
            return origin.found
        message = f"{self._reference.name}: no identity token {origin.label}: {origin.problem}"
        raise SecretUnavailableError(message, remedy="fill it, or leave it out so that the next source is asked")

    def _detect(self) -> str | None:
        return detect_credential(self._reference.client_id)

    def _parse(self, raw: str, origin: str) -> IdentityToken:
        try:
            return IdentityToken(raw.strip(), self._reference.client_id)
        except Exception as error:  # noqa: BLE001 - whatever PyJWT stumbles over; its text may repeat the token
            audience = self._reference.client_id
            problem = token_error(error, origin=origin, name=self._reference.name, audience=audience)
        raise problem

    def _ask_person(self) -> IdentityToken:
        name = self._reference.name
        if not person_is_there():
            variables = ", ".join(VARIABLES)
            message = (
                f"{name}: no identity token: no token-source, no {variables}, no build of "
                f"{', '.join(dict.fromkeys(PROVIDERS.values()))}, and no terminal from which to open a browser"
            )
            raise SecretUnavailableError(
                message, remedy="set HATCH_SIGN_IDENTITY_TOKEN, or sign in a build that has an identity"
            )
        if self._asked_person:
            message = f"{name}: the certificate has ended, and nobody is sent to the browser twice in a run"
            raise SecretUnavailableError(message, remedy="run again")
        self._asked_person = True
        try:
            return Issuer(self._oidc_url()).identity_token(client_id=self._reference.client_id)
        except (Error, IssuerError, OSError, ValueError, LookupError) as error:
            message = f"{name}: nobody proved in the browser who they are ({type(error).__name__})"
        raise CustodyError(message, remedy="run again, or set HATCH_SIGN_IDENTITY_TOKEN")


def classify_provider(error: Exception) -> Failure | None:  # noqa: ARG001 - its text may hold what the provider sent
    """Return what it means that the provider of a build gave no token."""
    return Failure(FailureKind.UNAVAILABLE, found="gave no identity token")


def _from_variable(name: str, environ: Mapping[str, str]) -> Origin:
    label = f"in the environment variable {name}"
    value = environ.get(name, "").strip()
    if value:
        return Origin(label, value)
    return Origin(label, problem="it is empty" if name in environ else "it is not set")


def _from_file(path: str) -> Origin:
    label = f"in the file {display(path)}"
    try:
        with Path(path).open("rb") as stream:
            text = stream.read(LARGEST_FILE + 1).decode("ascii").strip()
    except UnicodeDecodeError:
        return Origin(label, problem="it holds no token")
    except (OSError, ValueError) as error:
        return Origin(label, problem=f"it cannot be read: {getattr(error, 'strerror', None) or 'not a path'}")
    if not text or len(text) > LARGEST_FILE:
        return Origin(label, problem="it is empty" if not text else "it is too large for one")
    return Origin(label, text)
