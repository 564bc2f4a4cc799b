"""What every test of a build asks of programs that know nothing of us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.projects import tamper
from tests.peers import rigs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.projects import Project


def require_accepted_until_changed(project: Project, *, trusted_root: Path | None = None) -> None:
    """Assert that cosign and @sigstore/verify accept the wheel and the sdist, and refuse both once a bit is changed.

    With a trusted root, both demand a timestamp by an authority in it.
    """
    public_key = project.root / "release.pub"
    for suffix in (".whl", ".tar.gz"):
        artifact = project.artifact(suffix)
        bundle = artifact.with_name(f"{artifact.name}.sigstore.json")
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert verify(artifact, bundle, public_key, trusted_root=trusted_root).accepted
        tamper(artifact)
        for verify in (rigs.cosign_verify_blob, rigs.sigstore_js_verify):
            assert not verify(artifact, bundle, public_key, trusted_root=trusted_root).accepted
