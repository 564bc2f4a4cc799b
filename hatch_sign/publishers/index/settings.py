"""What the publisher ``index`` is told: by its configuration, by the command line, and by twine's environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hatch_sign.remote.http import shown_address
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

SETTINGS: Mapping[str, type] = {
    "repository": str,
    "repository-url": str,
    "index-url": str,
    "username": str,
    "skip-existing": bool,
    "attestations": bool,
    "non-interactive": bool,
    "cert": Path,
    "client-cert": Path,
    "config-file": Path,
    "comment": str,
    "verbose": bool,
}
"""The keys of the publisher. All but `index-url` are options of ``twine upload``; a password is no setting."""

_FALSE = frozenset({"", "0", "false", "no"})


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """The settings of one index. `repository` is a section of ``.pypirc``, unless there is a `repository_url`.

    `attestations` is None where they are sent to the indexes that are known to take them. `index_url` is the simple index
    (PEP 503) that tells what is there. The password is the one of ``TWINE_PASSWORD``; others are found when they are needed.
    """

    repository: str = "pypi"
    repository_url: str | None = None
    index_url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    skip_existing: bool = False
    attestations: bool | None = None
    non_interactive: bool = False
    cert: str | None = None
    client_cert: str | None = None
    config_file: str | None = None
    comment: str | None = None
    verbose: bool = False


def read_settings(settings: Mapping[str, Any], environ: Mapping[str, str]) -> IndexSettings:
    """Return the settings; what they leave out is taken from ``TWINE_*``, as ``twine upload`` has it.

    A repository that is set in either way wins over both variables that name one. Raises ConfigurationError for an address
    that is none, and for a file that is not there.
    """
    here = {key.replace("-", "_"): str(value) if isinstance(value, Path) else value for key, value in settings.items()}
    if not here.keys() & {"repository", "repository_url"}:
        here |= _said(environ, repository="TWINE_REPOSITORY", repository_url="TWINE_REPOSITORY_URL")
    elsewhere = _said(environ, cert="TWINE_CERT") | _told(environ, username="TWINE_USERNAME", password="TWINE_PASSWORD")  # noqa: S106 - a variable's name
    if "non_interactive" not in here:
        here["non_interactive"] = environ.get("TWINE_NON_INTERACTIVE", "").lower() not in _FALSE
    chosen = IndexSettings(**{**elsewhere, **here})
    _check_addresses(chosen)
    _check_files(chosen)
    return chosen


def _said(environ: Mapping[str, str], **names: str) -> dict[str, Any]:
    return {key: environ[name] for key, name in names.items() if environ.get(name)}


def _told(environ: Mapping[str, str], **names: str) -> dict[str, Any]:
    """Return what is set, also where it is set to nothing: for an index that wants no login."""
    return {key: environ[name] for key, name in names.items() if name in environ}


def _check_addresses(chosen: IndexSettings) -> None:
    for key, address in (("repository-url", chosen.repository_url), ("index-url", chosen.index_url)):
        if address is not None and not is_address(address):
            message = f"the publisher index has as `{key}` what is no http or https address: {shown_address(address)}"
            raise ConfigurationError(message, remedy='write it in full, as in "https://upload.pypi.org/legacy/"')
    if chosen.index_url is not None and "@" in urlsplit(chosen.index_url).netloc:
        message = f"the publisher index has an `index-url` with a login in it: {shown_address(chosen.index_url)}"
        raise ConfigurationError(message, remedy="take it out: the login for uploads is used where the host is the same")


def is_address(text: str) -> bool:
    """Return whether a text is an http or https address with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_files(chosen: IndexSettings) -> None:
    for key, path in (("cert", chosen.cert), ("client-cert", chosen.client_cert), ("config-file", chosen.config_file)):
        if path is not None and not Path(path).expanduser().exists():
            message = f"the publisher index has a `{key}` that is not there: {display(path)}"
            raise ConfigurationError(message, remedy="check its path")
