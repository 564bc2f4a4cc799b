"""act runs the examples whose jobs hand things to each other: a gate, a large release, wheels, a reusable workflow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.indexes import Index, index_serving

from .acting import act, commit, openbao_key, prepare, read, stubs_with_artifacts
from .artifacts import SDIST, kept, make, signed, store
from .programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw"  # noqa: S105 - of the index in these tests
KEY = "openbao://release"
SYSTEMS = {"ubuntu": "manylinux_2_28_x86_64", "windows": "win_amd64", "macos": "macosx_11_0_arm64"}
CALLER = """\
name: caller
on: push
permissions: {}
jobs:
  called:
    permissions:
      contents: read
      id-token: write
    uses: ./.github/workflows/called.yml
"""
CALLING = ".github/workflows/caller.yml"
GIVEN = """\
    with:
      key: openbao://release
      role: a role
      region: a region
  told:
    needs: called
    runs-on: ubuntu-latest
    steps:
      - run: echo "told $VERDICT"
        env:
          VERDICT: ${{ needs.called.outputs.verdict }}
"""


def call(folder: Path, caller: str, example: str) -> None:
    """Put an example into a project, and a workflow that calls it. A cloud is OpenBao."""
    workflows = folder / ".github/workflows"
    workflows.mkdir(parents=True)
    (workflows / "called.yml").write_text(read(example))
    (folder / CALLING).write_text(caller)


@pytest.fixture
def gate(folder: Path) -> Iterator[tuple[Index, list[str]]]:
    """Return the index that a project publishes to, and what lends its key; its `main` trusts that key."""
    with index_serving(Index(login=("__token__", TOKEN))) as index, openbao_key(folder) as variables:
        with_builders(folder, SDIST)
        prepare(folder, "verify-gate.yml", key=KEY, alone=False)
        with (folder / "pyproject.toml").open("a") as stream:
            stream.write(f'[[tool.hatch-sign.publish]]\nto = "index"\nrepository-url = "{index.url}"\n')
        be_main(folder)
        yield index, variables


def be_main(folder: Path) -> None:
    commit(folder)
    run("git", "update-ref", "refs/remotes/origin/main", "HEAD", folder=folder)


def run_gate(folder: Path, variables: list[str]) -> str:
    """Build, sign, verify and publish; return the log."""
    login = ("--env=TWINE_USERNAME=__token__", f"--env=TWINE_PASSWORD={TOKEN}")
    return act(folder, "release.yml", *variables, *login, stubs=stubs_with_artifacts(folder.parent))


def test_the_gate_publishes_what_main_trusts(folder: Path, gate: tuple[Index, list[str]]) -> None:
    index, variables = gate
    log = run_gate(folder, variables)
    assert log.endswith("exit code 0"), log
    assert log.count("hatch-sign: trusted") == 2
    assert index.stored.keys() == {SDIST}


def test_the_gate_is_shut_to_whom_only_the_tag_trusts(folder: Path, gate: tuple[Index, list[str]]) -> None:
    index, variables = gate
    trusted = (folder / "release.pub").read_bytes()
    write_other_key(folder)
    be_main(folder)
    (folder / "release.pub").write_bytes(trusted)
    commit(folder)
    log = run_gate(folder, variables)
    assert log.endswith("exit code 1"), log
    assert kept(folder, "signed") == signed(SDIST), "the tag trusts it, and so it was signed"
    assert f"{SDIST} is rejected: sigstore: untrusted" in log
    assert index.requests == []


def write_other_key(folder: Path) -> None:
    """Let a project trust a key that nobody has."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    (folder / "release.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_wheels_of_three_systems_are_signed_in_one_job(folder: Path) -> None:
    wheels = [f"app-1.0-cp313-cp313-{tag}.whl" for tag in SYSTEMS.values()]
    for system, wheel in zip(SYSTEMS, wheels, strict=True):
        make(store(folder) / f"built-{system}-latest", wheel, *([SDIST] if system == "ubuntu" else []))
    stubs = stubs_with_artifacts(folder.parent)
    with openbao_key(folder) as variables:
        workflow = prepare(folder, "cibuildwheel.yml", key=KEY)
        wrong = act(folder, workflow, "-j", "sign", *variables, "--env=BAO_TOKEN=another login", stubs=stubs)
        assert wrong.endswith("exit code 1"), wrong
        assert kept(folder, "signed") == set()
        log = act(folder, workflow, "-j", "sign", *variables, stubs=stubs)
    assert log.endswith("exit code 0"), log
    assert "hatch-sign: trusted" in log
    assert kept(folder, "signed") == signed(SDIST, *wheels)


@pytest.fixture
def called(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Return a project that calls the reusable workflow, with what was built in the store; and what lends the key."""
    make(store(folder) / "built", SDIST)
    with openbao_key(folder) as variables:
        call(folder, CALLER + GIVEN, "reusable.yml")
        prepare(folder, "reusable.yml", key=KEY)
        yield folder, variables


def test_the_reusable_workflow_tells_its_caller_the_verdict(called: tuple[Path, list[str]]) -> None:
    folder, variables = called
    log = act(folder, CALLING, *variables, stubs=stubs_with_artifacts(folder.parent))
    assert log.endswith("exit code 0"), log
    assert "told trusted" in log
    assert kept(folder, "signed") == signed(SDIST)


def test_the_reusable_workflow_fails_where_its_key_is_not_trusted(called: tuple[Path, list[str]]) -> None:
    folder, variables = called
    write_other_key(folder)
    commit(folder)
    log = act(folder, CALLING, *variables, stubs=stubs_with_artifacts(folder.parent))
    assert log.endswith("exit code 1"), log
    assert "app-1.0.tar.gz was signed, and the project's own policy rejects it: sigstore is untrusted" in log
    assert "told " not in log
    assert kept(folder, "signed") == set()


PIPX = """\
#!/bin/sh
# Stands for `pipx run`: what cibuildwheel and build would make is there already.
mkdir -p dist
case $2 in
  cibuildwheel==*) cp "{built}"/app-1.0-$CIBW_BUILD.whl dist ;;
  build==*) cp "{built}"/app-1.0.tar.gz dist ;;
esac
"""


def with_builders(folder: Path, *names: str) -> None:
    """Put a program onto the path that brings these files, as cibuildwheel and build would."""
    make(folder.parent / "built", *names)
    program = folder.parent / "bin" / "pipx"
    program.parent.mkdir()
    program.write_text(PIPX.format(built=folder.parent / "built"))
    program.chmod(0o755)


def test_shares_are_signed_by_jobs_of_their_own_and_the_whole_by_one(folder: Path) -> None:
    built = [SDIST, *(f"app-1.0-{tag}-{tag}-{SYSTEMS['ubuntu']}.whl" for tag in ("cp312", "cp313"))]
    with_builders(folder, *built)
    shares = ("--matrix", "share:cp312", "--matrix", "share:cp313")
    with openbao_key(folder) as variables:
        workflow = prepare(folder, "many-shares.yml", key=KEY, alone=False)
        log = act(folder, workflow, *shares, *variables, stubs=stubs_with_artifacts(folder.parent))
    assert log.endswith("exit code 0"), log
    assert kept(folder, "share-cp312") == signed(*built[:2])
    assert kept(folder, "share-cp313") == signed(*built[2:])
    assert kept(folder, "signed") == {*signed(*built), "app-1.0.intoto.sigstore.json"}


def test_a_share_that_was_changed_is_no_part_of_the_whole(folder: Path) -> None:
    share = store(folder) / "share-cp312"
    make(share, SDIST)
    with openbao_key(folder) as variables:
        workflow = prepare(folder, "many-shares.yml", key=KEY)
        environ = dict(each.removeprefix("--env=").split("=", 1) for each in variables)
        words = ("sign", str(share), "--key", KEY, "--format", "sigstore")
        done = run(sys.executable, "-m", "hatch_sign", *words, folder=folder, **environ)
        assert done.returncode == 0, done.stdout
        with (share / SDIST).open("ab") as stream:
            stream.write(b"\0")
        log = act(folder, workflow, "-j", "whole", *variables, stubs=stubs_with_artifacts(folder.parent))
    assert log.endswith("exit code 1"), log
    assert f"{SDIST} is rejected: sigstore: hash-mismatch" in log
    assert kept(folder, "signed") == set()
