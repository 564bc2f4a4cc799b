"""What PyPI demands of the identity in an attestation, as far as it can be known before the upload.

PyPI holds three claims against the Trusted Publisher by which a file comes: the issuer, the repository, and the workflow
that was started (the build config). The workflow that ran the job (the build signer) is another one where a reusable
workflow is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign_sigstore.claims import Claims

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"

_PUBLISHER = re.compile(r"([A-Za-z0-9-]+/[A-Za-z0-9._-]+)/([A-Za-z0-9._-]+\.ya?ml)")


@dataclass(frozen=True, slots=True)
class TrustedPublisher:
    """A Trusted Publisher of GitHub: the repository as ``OWNER/NAME``, and the file name of the workflow."""

    repository: str
    workflow: str


def parse_publisher(text: str) -> TrustedPublisher:
    """Return the publisher in ``OWNER/NAME/WORKFLOW.yml``. Raises ConfigurationError."""
    match = _PUBLISHER.fullmatch(text)
    if match is None:
        message = f"`trusted-publisher` is '{display(text)}', expected OWNER/NAME/WORKFLOW.yml"
        raise ConfigurationError(message, remedy="write what the project's page on PyPI has under Publishing")
    return TrustedPublisher(match[1], match[2])


def mismatch_with_publisher(claims: Claims, publisher: TrustedPublisher | None = None) -> str:
    """Return why PyPI would refuse an attestation by `claims`; empty where nothing speaks against it.

    Without a publisher, a workflow that was called by another is taken for a mismatch: the publisher on PyPI is then the one
    that was called, as the upload's own token names it, and the attestation is held against the one that called.
    """
    if publisher is not None:
        return _difference(claims, publisher)
    if claims.build_signer and claims.build_config and claims.build_signer != claims.build_config:
        signer, config = display(claims.build_signer), display(claims.build_config)
        return (
            f"it was made in the reusable workflow {signer}, which {config} called: PyPI refuses such attestations,"
            " unless its Trusted Publisher is the workflow that called"
        )
    return ""


def _difference(claims: Claims, publisher: TrustedPublisher) -> str:
    address = f"https://github.com/{publisher.repository}"
    found = display(claims.repository) or "no repository"
    workflow = f"{address}/.github/workflows/{publisher.workflow}"
    if claims.issuer != GITHUB_ISSUER:
        return f"its issuer is {display(claims.issuer)}, expected {GITHUB_ISSUER} for the Trusted Publisher"
    if claims.repository != address:
        return f"it was made in {found}, expected {address} for the Trusted Publisher"
    if claims.build_config.rpartition("@")[0] != workflow:
        return f"its workflow is {display(claims.build_config) or 'none'}, expected {workflow} for the Trusted Publisher"
    return ""
