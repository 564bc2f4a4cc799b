"""The build hook signs what is built, and what it signs can be verified. Built in the environment of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from .projects import PIN, Project, tamper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WHEEL = "slugline-1.0.0-py3-none-any.whl"
SDIST = "slugline-1.0.0.tar.gz"
STATEMENT = "slugline-1.0.0.intoto.sigstore.json"


def test_sdist_and_wheel_are_signed_and_verify(project: Project) -> None:
    done = project.hatchling()
    assert done.code == 0, done.output
    assert project.built() == {WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}
    assert f"hatch-sign: {WHEEL}: sigstore is trusted in {WHEEL}.sigstore.json" in done.output
    verified = project.sign("verify", "dist")
    assert verified.code == 0, verified.output


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_a_changed_artifact_is_refused(project: Project, name: str) -> None:
    assert project.hatchling().code == 0
    tamper(project.dist / name)
    verified = project.sign("verify", "dist")
    assert verified.code == 1
    assert "hash-mismatch" in verified.output


def test_without_a_rule_of_trust_it_is_consistent_and_never_called_trusted(project: Project) -> None:
    project.configure('[[tool.hatch-sign.verify.trust]]\npublic-key = "release.pub"', "")
    done = project.hatchling("-t", "wheel")
    assert done.code == 0, done.output
    assert f"{WHEEL}: sigstore is consistent" in done.output
    assert "trusted" not in done.output


def test_a_rebuild_replaces_the_signature_of_the_older_bytes(project: Project) -> None:
    assert project.hatchling("-t", "wheel").code == 0
    project.change_source()
    assert project.hatchling("-t", "wheel").code == 0
    assert project.sign("verify", "dist").code == 0


def test_a_rebuild_without_the_hook_is_caught_by_verifying(project: Project) -> None:
    assert project.hatchling("-t", "wheel").code == 0
    project.change_source()
    assert project.hatchling("-t", "wheel", HATCH_BUILD_HOOK_ENABLE_SIGN="0").code == 0
    verified = project.sign("verify", "dist")
    assert verified.code == 1
    assert "hash-mismatch" in verified.output


def test_a_rebuild_of_the_same_bytes_keeps_the_signature(project: Project) -> None:
    assert project.hatchling("-t", "wheel").code == 0
    before = (project.dist / f"{WHEEL}.sigstore.json").read_bytes()
    assert project.hatchling("-t", "wheel").code == 0
    assert (project.dist / f"{WHEEL}.sigstore.json").read_bytes() == before


def test_signatures_go_to_the_output_directory(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore"]\noutput-directory = "signatures"')
    done = project.hatchling("-t", "wheel")
    assert done.code == 0, done.output
    assert project.built() == {WHEEL}
    assert (project.root / "signatures" / f"{WHEEL}.sigstore.json").is_file()
    assert project.sign("verify", "dist").code == 0


def test_what_covers_the_release_is_left_to_the_end_and_said_once(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    done = project.hatchling()
    assert done.code == 0, done.output
    assert done.lines("hatch-sign: only a whole release") == [
        "hatch-sign: only a whole release is covered by statement, checksums: run `hatch-sign sign` once it is built"
    ]
    assert STATEMENT not in project.built()
    assert project.sign("sign", "dist").code == 0
    assert {STATEMENT, "SHA256SUMS"} <= project.built()
    assert project.sign("verify", "dist", "--require", "statement").code == 0


def test_what_the_release_requires_later_is_not_required_of_a_build(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement"]')
    project.configure('require = ["sigstore"]', 'require = ["sigstore", "statement"]')
    assert project.hatchling("-t", "wheel").code == 0
    verified = project.sign("verify", "dist")
    assert verified.code == 1
    assert "statement" in verified.output


def test_a_rebuild_takes_away_what_covered_the_older_release(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    project.change_source()
    done = project.hatchling("-t", "wheel")
    assert done.code == 0, done.output
    assert f"removed {STATEMENT}: it was over an older build" in done.output
    assert project.built() == {WHEEL, SDIST, f"{WHEEL}.sigstore.json", f"{SDIST}.sigstore.json"}


def test_a_rebuild_of_the_same_bytes_keeps_what_covers_the_release(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    before = project.built()
    assert project.hatchling().code == 0
    assert project.built() == before
    assert STATEMENT in before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX terminal")
@pytest.mark.parametrize(("typed", "code"), [(PIN, 0), ("another-pin", 3)])
def test_the_pin_is_asked_for_on_a_terminal(project: Project, typed: str, code: int) -> None:
    import pty  # noqa: PLC0415 - not on every system

    del project.environ["HATCH_SIGN_PIN"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=project.root,
        env=project.environ,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        output = b""
        while b"PIN of" not in output and (read := process.stdout.read1()):  # type: ignore[union-attr] # it is a pipe
            output += read
        os.write(ours, f"{typed}\n".encode())
        output += process.stdout.read()  # type: ignore[union-attr] # as above
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, output
    assert typed.encode() not in output
    assert (project.dist / WHEEL).exists() == (code == 0)


def test_a_rule_that_ends_soon_is_warned_of(project: Project) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=7)
    project.configure('public-key = "release.pub"', f'not-after = {soon}\npublic-key = "release.pub"')
    done = project.hatchling("-t", "wheel")
    assert done.code == 0, done.output
    assert [line for line in done.lines("hatch-sign: warning:") if str(soon) in line], done.output


def test_no_such_warning_without_an_end(project: Project) -> None:
    done = project.hatchling("-t", "wheel")
    assert not [line for line in done.lines("hatch-sign: warning:") if "end" in line], done.output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def binary(make_project: Callable[..., Project]) -> Project:
    """Make a project whose target ``binary`` is a folder, built by a program that stands in for cargo."""
    project = make_project("application")
    project.configure("[tool.hatch.build.hooks.sign]", "[tool.hatch.build.targets.binary]\n\n[tool.hatch.build.hooks.sign]")
    cargo = project.root.parent / "cargo"
    script = "import pathlib, sys\nbin = pathlib.Path(sys.argv[sys.argv.index('--root') + 1], 'bin')\nbin.mkdir()\n"
    cargo.write_text(f"#!{sys.executable}\n{script}(bin / 'pyapp').write_bytes(b'program')\n")
    cargo.chmod(0o755)
    project.environ["CARGO"] = str(cargo)
    return project


def test_everything_in_the_folder_of_a_binary_target_is_signed_and_signatures_are_not(binary: Project) -> None:
    for _ in range(2):
        done = binary.hatchling("-t", "binary")
        assert done.code == 0, done.output
        assert names(binary.dist / "binary") == ["tally-1.0.0", "tally-1.0.0.sigstore.json"]
    assert binary.sign("verify", "dist").code == 0


def test_a_binary_that_cannot_be_signed_leaves_nothing_in_its_folder(binary: Project) -> None:
    assert binary.hatchling("-t", "binary").code == 0
    done = binary.hatchling("-t", "binary", HATCH_SIGN_PIN="wrong")
    assert done.code == 3
    assert names(binary.dist / "binary") == []
    assert (binary.quarantine / "binary" / "tally-1.0.0").read_bytes() == b"program"


def test_a_changed_binary_is_refused(binary: Project) -> None:
    assert binary.hatchling("-t", "binary").code == 0
    tamper(binary.dist / "binary" / "tally-1.0.0")
    verified = binary.sign("verify", "dist", "--json")
    assert verified.code == 1
    document = json.loads(verified.output[verified.output.index("{") :])
    assert [row["verdict"] for row in document["artifacts"][0]["signatures"]] == ["hash-mismatch"]
