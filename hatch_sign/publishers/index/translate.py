"""The one place where exceptions of twine and its libraries, and answers of an index, become failures and errors of ours.

Nothing of them is shown but what is known to hold no credential: texts of twine quote files, those of libraries addresses.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from hatch_sign.publishers.index.places import PYPI_UPLOADS
from hatch_sign.remote.causes import causes_of
from hatch_sign.remote.certificates import untrusted_certificate
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.http import shown_address
from hatch_sign.remote.proxies import proxy_login_wanted
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError, PublishError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign.contract import ReleaseFile
AGAIN = "run it again later: what is there already is not sent twice"
_SHORT = 160
"""Characters of an index's own words that are shown unless more are asked for."""

_LOGIN = "set TWINE_USERNAME and TWINE_PASSWORD, or keep the login in .pypirc or a keyring"
_PYPI_LOGIN = f"{_LOGIN}, or set up Trusted Publishing"
_TLS_REMEDY = "where a private authority certifies it, name its roots by `cert`"
_CHECK_TLS = "check the address, and whether the index wants a `client-cert`"
_TRUSTED_PUBLISHING_CODE = re.compile(r"`([a-z][a-z-]{2,40})`")
_PATH = re.compile(r"\S*/\S*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An upload that the index did not confirm. `said` is what the index says of it, `exists` that it has such a file."""

    failure: Failure
    said: str = ""
    exists: bool = False

    def in_short(self) -> Refusal:
        """Return the same with the beginning of what the index says."""
        return self if len(self.said) <= _SHORT else replace(self, said=f"{self.said[:_SHORT]}…")

    def as_error(self, file: ReleaseFile, title: str) -> PublishError:
        """Return the error for people."""
        said = f", saying: {self.said}" if self.said else ""
        message = f"{display(file.name)}: {title} {self.failure.phrase}{said}"
        return PublishError(message, remedy=self.failure.remedy or AGAIN)


# --- what is configured, and who uploads -------------------------------------------------------------------------


def configuration_error(error: Exception, repository: str) -> ConfigurationError:
    """Return the error for settings, or a ``.pypirc``, that twine does not take."""
    from twine.exceptions import UploadToDeprecatedPyPIDetected  # noqa: PLC0415 - an extra, loaded by now

    if isinstance(error, UploadToDeprecatedPyPIDetected):
        message = "the repository is on pypi.python.org, which takes no uploads any more"
        return ConfigurationError(message, remedy="upload to https://upload.pypi.org/legacy/")
    if str(error).startswith("Missing"):
        message = f"the repository '{display(repository)}' has no section of its own in .pypirc"
        return ConfigurationError(message, remedy="add one to it and to `index-servers`, or give `repository-url`")
    message = f"the repository '{display(repository)}' cannot be read from .pypirc ({type(error).__name__})"
    return ConfigurationError(message, remedy="mend the file, or give `repository-url`")


def credential_error(error: Exception, upload_url: str) -> PublishError:
    """Return the error for credentials that could not be had."""
    from twine.exceptions import NonInteractive, TrustedPublishingFailure  # noqa: PLC0415 - an extra, loaded by now

    title = shown_address(upload_url)
    remedy = _PYPI_LOGIN if any(host in upload_url for host in PYPI_UPLOADS) else _LOGIN
    if isinstance(error, NonInteractive | EOFError):
        return PublishError(f"{title} needs a credential, and none was found", remedy=remedy)
    if isinstance(error, TrustedPublishingFailure):
        codes = ", ".join(dict.fromkeys(_TRUSTED_PUBLISHING_CODE.findall(str(error))))
        message = f"{title}: Trusted Publishing gave no token{f' ({codes})' if codes else ''}"
        return PublishError(message, remedy="compare the publisher registered there with this job, or set TWINE_PASSWORD")
    message = f"{title}: no credential could be had: the index {connection_failure(error).phrase}"
    return PublishError(message, remedy=remedy)


def metadata_error(error: Exception, file: ReleaseFile) -> MalformedError:
    """Return the error for a distribution whose metadata twine cannot read."""
    from twine.exceptions import InvalidDistribution  # noqa: PLC0415 - an extra, loaded by now

    found = type(error).__name__
    if isinstance(error, InvalidDistribution):
        found = _PATH.sub("…", str(error).replace(str(file.path), file.name))
    return MalformedError(
        f"{display(file.name)} has metadata that no index takes: {display(found)}", remedy="build it again"
    )


# --- connections that fail ---------------------------------------------------------------------------------------


def connection_failure(error: Exception) -> Failure:
    """Return what an exception of twine's HTTP client means."""
    known = proxy_login_wanted(error) or untrusted_certificate(error, remedy=_TLS_REMEDY)
    if known is not None:
        return known
    causes = causes_of(error)
    for kinds, kind, found in _meanings():
        if any(isinstance(each, kinds) for each in causes):
            return Failure(kind, found=found, remedy=AGAIN if kind.passes else _CHECK_TLS)
    return Failure(FailureKind.INVALID, found=f"could not be asked ({type(error).__name__})", remedy="check its address")


def _meanings() -> tuple[tuple[tuple[type[Exception], ...], FailureKind, str], ...]:
    """Return what exceptions mean; the first kind that is among the causes says it."""
    import requests  # noqa: PLC0415 - an extra, loaded by now

    return (
        ((socket.gaierror,), FailureKind.UNAVAILABLE, "could not be found: its name has no address"),
        ((ConnectionRefusedError,), FailureKind.UNAVAILABLE, "refused the connection"),
        ((TimeoutError, requests.Timeout), FailureKind.UNAVAILABLE, "did not answer in time"),
        ((ssl.SSLEOFError,), FailureKind.UNAVAILABLE, "cut the connection"),
        ((ssl.SSLError,), FailureKind.INVALID, "does not speak TLS there, or ended it: it may want a certificate"),
        ((ConnectionError, requests.ConnectionError), FailureKind.UNAVAILABLE, "cut the connection"),
    )


# --- answers that refuse -----------------------------------------------------------------------------------------

_EXISTS: Mapping[int, tuple[str, ...]] = {
    400: ("already exist", "updating asset", "cannot be updated", "already been taken"),
    403: ("overwrite artifact", "already exist"),
    409: ("",),
}
"""How indexes say that they have such a file: PyPI, Google and pypiserver; Nexus; GitLab; Artifactory; devpi and others."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ADDRESS_REMEDY = "check the address of the repository: many end with a slash"
_TELLINGS: Mapping[int, tuple[str, str]] = {
    400: ("did not take it", "mend what it says, and publish under a new version where the files change"),
    401: ("did not accept the credential: it is wrong, or has expired", _LOGIN),
    403: ("refused: the credential is wrong, or may not upload to this project", "check the token and its scope"),
    404: ("has nothing there to upload to", _ADDRESS_REMEDY),
    405: ("takes no uploads at this address", _ADDRESS_REMEDY),
    410: ("takes no uploads at this address any more", _ADDRESS_REMEDY),
    413: ("takes no file of this size", "ask the index for a higher limit"),
    429: ("asked for fewer uploads", AGAIN),
}


def refusal(status: int, *, reason: str, text: str, location: str, retry_after: float | None) -> Refusal:
    """Return what an answer with a status other than 2xx means.

    `reason` and `text` are what the index wrote: shown on one line, so hand over none that holds a credential. `location`
    is where it redirects to, if it does.
    """
    failure = classify_status(status, retry_after=retry_after)
    said = _said("" if reason in _PHRASES else reason, text)
    if status in _REDIRECTS:
        where = shown_address(location) if location else "another address"
        found = f"redirects to {where}, which is not followed"
        return Refusal(replace(failure, found=found, remedy="where that is right, give it as `repository-url`"))
    found, remedy = _TELLINGS.get(status, ("failed", AGAIN) if failure.kind.passes else ("", _ADDRESS_REMEDY))
    written = f"{reason} {text}".lower()
    if status == HTTPStatus.BAD_REQUEST and "attestation" in written:
        remedy = "PyPI takes attestations over Trusted Publishing only: use it, or say `attestations = false`"
    exists = any(phrase in written for phrase in _EXISTS.get(status, ()))
    return Refusal(replace(failure, found=found, remedy=remedy), said, exists)


_PHRASES = frozenset(status.phrase for status in HTTPStatus)
"""What a status line says where its server has nothing to say."""

_TAG = re.compile(r"<([a-z]*)[^<>]{0,1000}>", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}\s{{0,100}}>", re.IGNORECASE) for name in ("head", "script", "style")}
"""How elements end whose content nobody reads."""


def _said(reason: str, text: str) -> str:
    """Return the longer of what the status line and the body say, without markup."""
    plain = " ".join(" ".join(_without_markup(text)).split())
    return display(plain if len(plain) > len(reason) else reason)


def _without_markup(text: str) -> Iterator[str]:
    """Yield what is between the tags, in time that grows with the length of the text alone."""
    endless: set[str] = set()
    at = 0
    while tag := _TAG.search(text, at):
        yield text[at : tag.start()]
        at, name = tag.end(), tag[1].lower()
        if name in _ENDS and name not in endless:
            end = _ENDS[name].search(text, at)
            at = end.end() if end else at
            endless |= set() if end else {name}
    yield text[at:]


def hides_nothing(text: str, secrets: tuple[str, ...]) -> bool:
    """Return whether a text holds no secret, and no eight characters in a row of one, in whatever case."""
    lowered = text.lower()
    return not any(piece in lowered for secret in secrets for piece in _pieces(secret.lower()))


_TELLING_LENGTH = 8


def _pieces(secret: str) -> set[str]:
    count = max(1, len(secret) - _TELLING_LENGTH + 1)
    return {secret[start : start + _TELLING_LENGTH] for start in range(count)} - {""}
