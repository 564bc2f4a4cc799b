"""act runs the project's own release: all its distributions are built, signed, verified and published, by its own action."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign import __version__
from tests.indexes import Index, index_serving

from ..loopback import loopback_sigstore
from ..sigstore.keyless import identity_at
from .acting import DOWNLOAD, UPLOAD, act, commit, copy_action
from .artifacts import store
from .programs import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..loopback import LoopbackSigstore

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests
WORKFLOW = ".github/workflows/release.yml"
NAMES = ["hatch_sign", *(path.name.replace("-", "_") for path in sorted(ROOT.glob("plugins/hatch-sign-*")))]
"""Of the distributions, as their files begin."""


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback_sigstore() as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a checkout of the project; `python` is one that the workflow may install into, as on a runner."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True)
    folder = copy_action(tmp_path / "repository")
    store(folder).mkdir()
    return folder


def release(repository: Path, instance: LoopbackSigstore, index: Index, *, tag: str) -> str:
    """Release what is checked out, by the settings of the project but for its Sigstore, its identity and its index."""
    settings = repository / ".github/hatch-sign.toml"
    text = settings.read_text().replace("sigstore:", identity_at(instance))
    trusted = f'identity = "{instance.identity}"\ntrusted-root = "{instance.trusted_root}"'
    text = re.sub(r"identity-pattern = .*", trusted, text)
    settings.write_text(f'{text}repository-url = "{index.url}"\n')
    commit(repository)
    run("git", "tag", tag, folder=repository)
    run("git", "update-ref", "refs/remotes/origin/main", "HEAD", folder=repository)
    event = repository.parent / "event.json"
    event.write_text(json.dumps({"ref": f"refs/tags/{tag}", "sender": {"login": "maintainer", "type": "User"}}))
    login = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN, "HATCH_SIGN_IDENTITY_TOKEN": instance.identity_token}
    variables = [f"--env={name}={value}" for name, value in login.items()]
    stubs = {"actions/upload-artifact": UPLOAD, "actions/download-artifact": DOWNLOAD}
    return act(repository, WORKFLOW, "-e", str(event), *variables, stubs=stubs)


def test_the_project_releases_all_its_distributions_with_itself(repository: Path, instance: LoopbackSigstore) -> None:
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        log = release(repository, instance, index, tag=f"v{__version__}")
    assert log.endswith("exit code 0"), log
    assert log.count("hatch-sign: trusted") == 3
    files = {f"{name}-{__version__}{ending}" for name in NAMES for ending in (".tar.gz", "-py3-none-any.whl")}
    assert index.stored.keys() == files
    assert all(each.attestations for each in index.stored.values())


def test_a_tag_of_another_version_is_not_even_built(repository: Path, instance: LoopbackSigstore) -> None:
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        log = release(repository, instance, index, tag="v999")
    assert log.endswith("exit code 1"), log
    assert "Failure - Main build what the tag names" in log
    assert index.requests == []
