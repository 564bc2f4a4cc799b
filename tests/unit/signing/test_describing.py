"""Whether a run finds out how its artifacts were built: only where some file may say so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.configuration.model import Configuration, SignatureSettings
from hatch_sign.registry import Registry
from hatch_sign.signing.describing import with_provenance
from hatch_sign.signing.plan import SigningPlan, plan_release
from hatch_sign.values.errors import ConfigurationError

from ...build_services import GITHUB

NOW = datetime(2026, 2, 3, tzinfo=UTC)
BROKEN = {**GITHUB, "GITHUB_SHA": "HEAD"}


def plan(folder: Path, *formats: str, **options: str) -> SigningPlan:
    (folder / "demo-1.0.tar.gz").write_bytes(b"stands for an sdist")
    settings = SignatureSettings(None, "emulated:test", formats, options=dict.fromkeys(formats, options))
    configuration = Configuration(None, folder, (settings,))
    registry = Registry()
    return plan_release(configuration, find_artifacts([folder], registry.formats().values()), registry)


def test_a_statement_is_told_how_the_release_was_built(tmp_path: Path) -> None:
    described = with_provenance(plan(tmp_path, "sigstore", "statement"), GITHUB, NOW)
    assert described.provenance is not None
    assert described.provenance["buildDefinition"]["buildType"] == "https://actions.github.io/buildtypes/workflow/v1"
    with pytest.raises(ConfigurationError, match="GITHUB_SHA"):
        with_provenance(plan(tmp_path, "sigstore", "statement"), BROKEN, NOW)


@pytest.mark.parametrize(
    ("formats", "options"),
    [(("sigstore",), {}), (("checksums", "cms"), {}), (("statement",), {"provenance": "never"})],
)
def test_nothing_is_asked_where_nothing_would_say_it(
    formats: tuple[str, ...], options: dict[str, str], tmp_path: Path
) -> None:
    asked = plan(tmp_path, *formats, **options)
    assert with_provenance(asked, BROKEN, NOW) is asked
