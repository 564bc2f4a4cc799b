"""The examples, built by ``hatch build`` and signed in a token, before cosign, @sigstore/verify and ourselves."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_sign.formats.intoto import RELEASE_CLAIM

from ...integration.conftest import CHECKOUT, isolated, wheelhouse
from ...integration.projects import Project, clean_environment, copy_example, tamper, unmeasured
from .. import rigs
from .token_project import KEY
from .tokens import RealToken, TokenName, start_token

__all__ = ["isolated", "wheelhouse"]  # Fixtures of the integration tests, which are found by their names.

EXAMPLES = {
    "pure_package": ("slugline", ["build"]),
    "application": ("tally", ["build", "-t", "sdist", "-t", "wheel", "-t", "custom"]),
    "compiled_extension": ("fletcher32", ["build"]),
}

HATCH_SIGN = (sys.executable, "-m", "hatch_sign")


@pytest.fixture(scope="session")
def with_plugin(wheelhouse: Path, isolated: dict[str, str]) -> dict[str, str]:
    """Add the plugin, and what it needs, to the store from which front ends install."""
    pip = [sys.executable, "-m", "pip", "--quiet"]
    wheel = [*pip, "wheel", "--no-build-isolation", "--find-links", str(wheelhouse), "--wheel-dir", str(wheelhouse)]
    subprocess.run([*wheel, str(CHECKOUT / "plugins" / "hatch-sign-pkcs11")], check=True)
    return isolated


@pytest.fixture(scope="module")
def token() -> Iterator[RealToken]:
    with start_token(TokenName.SOFTHSM) as token:
        yield token


@pytest.fixture(scope="module", params=EXAMPLES)
def built(
    request: pytest.FixtureRequest, token: RealToken, with_plugin: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Build an example as its README says, with a key in the token instead of the emulated one."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    name, build = EXAMPLES[request.param]
    environ = unmeasured(clean_environment(folder / "home", PATH=_path(), HATCH_SIGN_ALLOW_DIRECTORY=str(folder)))
    project = copy_example(request.param, folder / "project", environ | with_plugin | _way_to(token))
    key = token.reference(f"{KEY}-{name}")
    project.configure(f'key = "emulated:{name}/release"', f'key = "{key}"')
    project.configure('dependencies = ["hatch-sign==', 'dependencies = ["hatch-sign-pkcs11", "hatch-sign==')
    for command in (
        [*HATCH_SIGN, "key", "generate", key],
        [*HATCH_SIGN, "key", "export-public", key, "-o", "release.pub"],
        ["hatch", *build],
    ):
        succeed(project, token, *command)
    assert {f"{artifact.name}.sigstore.json" for artifact in artifacts(project)} <= project.built(), (
        "the hook signed nothing"
    )
    succeed(project, token, *HATCH_SIGN, "sign", "dist")  # Adds the statement, where one is configured.
    return replace(project, environ={name: value for name, value in project.environ.items() if name != "HSM_PIN"})


def succeed(project: Project, token: RealToken, *command: str) -> None:
    done = project.run(*command)
    assert done.code == 0, done.output
    assert token.pin not in done.output


def _path() -> str:
    return sysconfig.get_path("scripts") + ":" + rigs.clean_environment("")["PATH"]


def _way_to(token: RealToken) -> dict[str, str]:
    return {**token.environ, "HSM_PIN": token.pin}


def artifacts(project: Project) -> list[Path]:
    return [project.dist / name for name in sorted(project.built()) if not name.endswith(".json")]


def judge(project: Project, artifact: Path) -> list[bool]:
    """Return what the three verifiers say of an artifact with the signature beside it."""
    bundle, key = artifact.with_name(f"{artifact.name}.sigstore.json"), project.root / "release.pub"
    return [
        rigs.cosign_verify_blob(artifact, bundle, key).accepted,
        rigs.sigstore_js_verify(artifact, bundle, key).accepted,
        project.sign("verify", artifact).code == 0,
    ]


def test_everybody_accepts_what_was_built(built: Project) -> None:
    found = artifacts(built)
    assert len(found) == (3 if built.root.parent.name.startswith("application") else 2)
    assert {artifact.name: judge(built, artifact) for artifact in found} == {each.name: [True] * 3 for each in found}


def test_nobody_accepts_it_once_it_is_changed(built: Project) -> None:
    for artifact in artifacts(built):
        original = artifact.read_bytes()
        tamper(artifact)
        verdicts = judge(built, artifact)
        artifact.write_bytes(original)
        assert verdicts == [False] * 3, artifact


def test_the_statement_of_the_application_names_its_files(built: Project) -> None:
    statements = list(built.dist.glob("*.intoto.sigstore.json"))
    assert len(statements) == built.root.parent.name.startswith("application")
    for statement in statements:
        key = built.root / "release.pub"
        for artifact in artifacts(built):
            good = rigs.cosign_verify_attestation(artifact, statement, key, RELEASE_CLAIM)
            assert good.accepted, good.output
        refused = rigs.cosign_verify_attestation(key, statement, key, RELEASE_CLAIM)
        assert "digest" in refused.output
        assert not refused.accepted
