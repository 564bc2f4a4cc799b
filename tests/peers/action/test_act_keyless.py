"""act runs the example that signs by an identity and publishes, with a Sigstore and an index on the loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.indexes import Index, index_serving

from ..loopback import loopback_sigstore
from ..sigstore.keyless import identity_at
from .acting import act, commit, read, stubs_with_artifacts
from .artifacts import SDIST, make, store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..loopback import LoopbackSigstore

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests
WHEEL = "app-1.0-py3-none-any.whl"
CONFIGURATION = """\
[tool.hatch-sign]
key = "{key}"
formats = ["sigstore", "pep740"]
[[tool.hatch-sign.verify.trust]]
identity = "{identity}"
issuer = "{issuer}"
trusted-root = "{root}"
[[tool.hatch-sign.publish]]
to = "index"
repository-url = "{index}"
attestations = true
"""


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback_sigstore() as running:
        yield running


def publish(folder: Path, instance: LoopbackSigstore, index: Index, *, identity: str) -> str:
    """Run the job that signs and publishes what is in the store, in a project that trusts an identity; return its log."""
    settings = {"key": identity_at(instance), "identity": identity, "issuer": instance.issuer, "index": index.url}
    (folder / "pyproject.toml").write_text(CONFIGURATION.format(root=instance.trusted_root, **settings))
    (folder / "release.yml").write_text(read("keyless-to-pypi.yml", alone=True))
    commit(folder)
    login = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN, "HATCH_SIGN_IDENTITY_TOKEN": instance.identity_token}
    variables = [f"--env={name}={value}" for name, value in login.items()]
    log = act(folder, "release.yml", "-j", "publish", *variables, stubs=stubs_with_artifacts(folder.parent))
    assert TOKEN not in log.replace(f"::add-mask::{TOKEN}", "")
    return log


def test_an_identity_signs_and_what_is_verified_is_published(folder: Path, instance: LoopbackSigstore) -> None:
    make(store(folder) / "built", SDIST, WHEEL)
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        log = publish(folder, instance, index, identity=instance.identity)
    assert log.endswith("exit code 0"), log
    assert log.count("hatch-sign: trusted") == 2
    assert index.stored.keys() == {SDIST, WHEEL}
    assert all(each.attestations for each in index.stored.values())


def test_an_identity_that_is_not_trusted_publishes_nothing(folder: Path, instance: LoopbackSigstore) -> None:
    make(store(folder) / "built", SDIST, WHEEL)
    with index_serving(Index(login=("__token__", TOKEN))) as index:
        log = publish(folder, instance, index, identity=f"{instance.identity}x")
    assert log.endswith("exit code 1"), log
    assert "policy rejects it: " in log
    assert "pep740 is wrong-identity" in log
    assert index.requests == []
