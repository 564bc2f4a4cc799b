"""Publishes to the assets of a release on GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import Preview, SecretRequest
from hatch_sign.publishers.github.api import LIMITS, GitHubApi
from hatch_sign.publishers.github.destination import GitHubRelease
from hatch_sign.publishers.github.names import why_dropped
from hatch_sign.publishers.github.settings import SETTINGS, Place, read_place
from hatch_sign.remote.retrying import Timing
from hatch_sign.values.errors import CustodyError, PublishError

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination
    from hatch_sign.remote.limits import NetworkLimits

_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class GitHubPublisher:
    """A :class:`~hatch_sign.contract.Publisher`, and a :class:`~hatch_sign.contract.Previews`.

    Its settings, all of them optional: `repository` (OWNER/NAME) and `tag`, else those of the run of GitHub Actions;
    `api-url`, else that run's, else github.com's; for a release that has to be made `release-name` (else the tag),
    `prerelease` and `generate-notes`; and `draft`, true unless it says otherwise: a release that is made stays a draft, and
    one that exists stays what it is. Without it, a draft is published once everything is uploaded.

    The token is a secret of the environment: ``GH_TOKEN`` or ``GITHUB_TOKEN`` for github.com, ``GH_ENTERPRISE_TOKEN`` or
    ``GITHUB_ENTERPRISE_TOKEN`` for other servers. It needs the permission ``contents: write``, and goes to the API and to
    its server for uploads only.
    """

    name: str = "github"
    settings: Mapping[str, type] = field(default_factory=lambda: SETTINGS)
    limits: NetworkLimits = LIMITS
    timing: Timing = field(default_factory=Timing)

    def preview(self, settings: Mapping[str, Any], context: BackendContext) -> Preview:
        """Return which release is meant, and what it would not keep. Raises ConfigurationError."""
        return Preview(read_place(settings, context.environ).title, why_dropped)

    @contextmanager
    def open(self, settings: Mapping[str, Any], context: BackendContext) -> Iterator[Destination]:
        """Lend the release; it is looked for, and made, where files are published to it.

        Raises ConfigurationError for settings that say nothing, PublishError where there is no token.
        """
        place = read_place(settings, context.environ)
        token = _token(place, context)
        api = GitHubApi(place, token, self.limits, self.timing, lambda: context.stopped)
        yield GitHubRelease(api, context.warn)


def _token(place: Place, context: BackendContext) -> str:
    request = SecretRequest("token", f"GitHub at {place.host}", place.title, variables=place.tokens)
    remedy = f"set {place.tokens[0]} to one with the permission contents: write"
    try:
        token = context.secret(request).strip()
    except CustodyError as error:
        # Whoever has set none must not look for mistakes in sources of PINs, which the core would list.
        given = any(name in context.environ for name in place.tokens)
        none = f"{place.title} wants a token, and neither {' nor '.join(place.tokens)} is set"
        raise PublishError(error.message if given else none, remedy=remedy) from None
    if not _TOKEN.fullmatch(token):
        message = f"{place.title}: what is given as the token is none: it holds other characters than printable ASCII"
        raise PublishError(message, remedy=remedy)
    return token
