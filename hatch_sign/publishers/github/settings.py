"""Which release on which GitHub is meant, and which token belongs to it: from the settings and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from hatch_sign.remote.hosts import is_loopback
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

SETTINGS: Mapping[str, type] = {
    "repository": str,
    "tag": str,
    "draft": bool,
    "api-url": str,
    "release-name": str,
    "prerelease": bool,
    "generate-notes": bool,
}

_GITHUB = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
_TAG = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f~^:?*\[\\]{1,255}(?<![/.])")
"""What git takes for the name of a tag (git-check-ref-format), and a little less."""
_ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")


@dataclass(frozen=True, slots=True)
class Place:
    """One release by its tag. `api` is an address without a slash at its end, `tokens` the variables that may hold a token.

    `draft` says that a release that has to be made stays a draft; without it, a draft is published once all is uploaded.
    """

    api: str
    repository: str
    tag: str
    tokens: tuple[str, ...]
    draft: bool = True
    name: str = ""
    prerelease: bool = False
    generate_notes: bool = False

    @property
    def host(self) -> str:
        """The API's host, with its port where that is written."""
        return urlsplit(self.api).netloc

    @property
    def title(self) -> str:
        """The release as messages name it."""
        tag = quote(self.tag, safe="/")
        if self.api == _GITHUB:
            return f"https://github.com/{self.repository}/releases/tag/{tag}"
        return f"{self.api}/repos/{self.repository}/releases/tags/{tag}"

    def address(self, path: str) -> str:
        """Return the address of something in the repository."""
        return f"{self.api}/repos/{self.repository}/{path}"


def read_place(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Place:
    """Return the release that settings and environment mean. Raises ConfigurationError with every mistake.

    What the settings leave open is taken from what GitHub Actions sets: ``GITHUB_REPOSITORY``, ``GITHUB_REF_NAME`` where
    ``GITHUB_REF_TYPE`` is ``tag``, and ``GITHUB_API_URL``.
    """
    api = (settings.get("api-url") or environ.get("GITHUB_API_URL") or _GITHUB).rstrip("/")
    repository = settings.get("repository") or environ.get("GITHUB_REPOSITORY", "")
    on_a_tag = environ.get("GITHUB_REF_TYPE") == "tag"
    tag = settings.get("tag") or (environ.get("GITHUB_REF_NAME", "") if on_a_tag else "")
    problems = [*_api_problems(api), *_repository_problems(repository), *_tag_problems(tag)]
    if problems:
        message = "the publisher github does not know which release is meant"
        raise ConfigurationError(message, problems=problems)
    return Place(
        api=api,
        repository=repository,
        tag=tag,
        tokens=token_variables(api, environ),
        draft=settings.get("draft", True),
        name=settings.get("release-name", ""),
        prerelease=settings.get("prerelease", False),
        generate_notes=settings.get("generate-notes", False),
    )


def token_variables(api: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the environment variables that may hold the token for the API at `api`, in their order.

    ``GH_TOKEN`` and ``GITHUB_TOKEN`` belong to github.com and to GitHub's own clouds, and are told to no other host; but
    what GitHub Actions sets belongs to the server whose ``GITHUB_API_URL`` it sets as well.
    """
    host = urlsplit(api).hostname or ""
    if api == _GITHUB or host.endswith(".ghe.com"):
        return "GH_TOKEN", "GITHUB_TOKEN"
    of_the_run = api == environ.get("GITHUB_API_URL", "").rstrip("/")
    return (*_ENTERPRISE_TOKENS, "GITHUB_TOKEN") if of_the_run else _ENTERPRISE_TOKENS


def _api_problems(api: str) -> list[str]:
    try:
        parts = urlsplit(api)
        plain = bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        plain = False
    if not plain or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
        return ["`api-url` is no https address without a password, such as https://github.example.com/api/v3"]
    return []


def _repository_problems(repository: str) -> list[str]:
    if not repository:
        return ["`repository` is not given, and GITHUB_REPOSITORY is not set; give OWNER/NAME"]
    return [] if _REPOSITORY.fullmatch(repository) else [f"`repository` is {display(repository)}, which is not OWNER/NAME"]


def _tag_problems(tag: str) -> list[str]:
    if not tag:
        return ["`tag` is not given, and this is no run of GitHub Actions for a tag; give the tag of the release"]
    return [] if _TAG.fullmatch(tag) else [f"`tag` is {display(tag)}, which is no name of a tag"]
