"""A project that is signed by the identity of the tests, on a Sigstore of the tests, through the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ...integration.cli.cli_project import Project

if TYPE_CHECKING:
    from ..loopback import LoopbackSigstore

_OTHERS = ("HATCH_", "SIGSTORE_", "GITHUB_", "GITLAB_", "ACTIONS_", "CIRCLE", "BUILDKITE")
"""Where the tests themselves run says nothing."""


def make_keyless_project(folder: Path, instance: LoopbackSigstore, *, token: str | None = None) -> Project:
    """Return an empty project with the token of the tests, or another, in the environment."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
    environ |= {
        "HOME": str(folder / "home"),
        "HATCH_SIGN_IDENTITY_TOKEN": instance.identity_token if token is None else token,
        "PYTHONUTF8": "1",
    }
    project = Project(folder, environ)
    project.dist.mkdir(parents=True)
    return project


def identity_at(instance: LoopbackSigstore, trust_config: Path | None = None, **settings: object) -> str:
    """Return the reference of the identity of the tests, with settings such as ``rekor_version=1``."""
    query: dict[str, object] = {"trust-config": trust_config or instance.trust_config}
    query |= {name.replace("_", "-"): value for name, value in settings.items()}
    return "sigstore:?" + "&".join(f"{name}={quote(str(value), safe=':/')}" for name, value in query.items())
