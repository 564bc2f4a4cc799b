"""The program of the GitHub Action around the real command line: what the runner reads of it, and that nothing gets by."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import load_pem_x509_certificates

from hatch_sign_action.installing import choose
from tests.build_services import make_checkout

from .cli_project import PIN, make_wheel
from .code_signing import KEY, configure
from .releasing.gate import git, make_sdist
from .schemas import validate

if TYPE_CHECKING:
    from .cli_project import Project

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the environment that stands in for an installed one is a script"
)


CERTIFIED = """\
key = "{key}"
certificates = "chain.pem"
formats = ["cms"]
[[verify.trust]]
certificate-roots = "root.pem"
subject = "{subject}"
"""


@dataclass(frozen=True)
class Step:
    """How a step ended, and what it left for the runner."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith("::error ")]


def run_step(
    project: Project, *, event: object = None, name: str = "push", reference: str = "refs/heads/main", **inputs: str
) -> Step:
    """Run one step as `action.yml` does, in an environment that need not be installed first."""
    runner = project.folder / "runner"
    environment = runner / "hatch-sign-action" / choose([], root=ROOT, uploads=inputs["command"] == "upload").digest()
    python = environment / "bin/python"
    if not python.exists():
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        (environment / "finished").touch()
    (runner / "event.json").write_text(json.dumps(event))
    for file in ("output", "summary"):
        (runner / file).write_text("")
    environ = {
        **project.environ,
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(runner / "event.json"),
        "GITHUB_OUTPUT": str(runner / "output"),
        "GITHUB_REF": reference,
        "GITHUB_REPOSITORY": "example/app",
        "GITHUB_STEP_SUMMARY": str(runner / "summary"),
        "GITHUB_WORKSPACE": str(project.folder),
        "RUNNER_TEMP": str(runner),
    }
    given = {"files": "dist", "show_summary": "true", **inputs}
    environ |= {f"ACTION_INPUT_{key.upper()}": value for key, value in given.items()}
    command = [sys.executable, "-I", "-X", "utf8", str(ROOT / "action")]
    # Not in the workspace: where that is says the environment, which in a container differs from what the machine has.
    done = subprocess.run(command, cwd=runner, env=environ, capture_output=True, check=False, timeout=300)
    assert done.stderr == b""
    outputs = read_outputs((runner / "output").read_text(encoding="utf-8"))
    return Step(done.returncode, done.stdout.decode(), outputs, (runner / "summary").read_text(encoding="utf-8"))


def read_outputs(text: str) -> dict[str, str]:
    """Read a file of outputs as the runner does."""
    outputs, lines = {}, iter(text.split("\n"))
    for line in lines:
        if line:
            name, _, word = line.partition("<<")
            outputs[name] = "\n".join(iter(lines.__next__, word))
    return outputs


def test_signs_verifies_and_tells(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    project.add("two words.bin", b"two")
    step = run_step(project, command="sign", policy="hatch-sign.toml")
    assert step.code == 0, step.log
    bundles = [str(project.dist / f"{name}.sigstore.json") for name in ("app-1.0.pyz", "two words.bin")]
    assert step.outputs["signatures"].split("\n") == bundles
    assert step.outputs["bundle-paths"].split("\n") == bundles
    assert (step.outputs["verdict"], step.outputs["count"]) == ("trusted", "2")
    assert json.loads(Path(step.outputs["report"]).read_bytes())["schema"] == "hatch-sign/verification/v1"
    assert "emulated&#58;test/release (emulated token, in software)" in step.summary
    assert step.summary.count("| trusted |") == 2
    assert step.annotations == []
    assert f"::add-mask::{PIN}" in step.log.splitlines()
    assert PIN not in step.log.replace(f"::add-mask::{PIN}\n", "") + step.summary


def test_without_a_policy_it_is_consistent_and_not_called_trusted(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    step = run_step(project, command="sign", show_summary="false")
    assert (step.code, step.outputs["verdict"], step.summary) == (0, "consistent", "")


def test_a_tampered_artifact_fails_the_step_and_says_so_everywhere(project: Project) -> None:
    artifact = project.add("app-1.0.pyz", b"one")
    project.succeed("sign", "dist")
    assert run_step(project, command="verify").outputs["verdict"] == "trusted"
    artifact.write_bytes(b"One")
    step = run_step(project, command="verify")
    assert (step.code, step.outputs["verdict"]) == (1, "rejected")
    (annotation,) = step.annotations
    assert annotation.startswith("::error title=hatch-sign::app-1.0.pyz is rejected: sigstore: hash-mismatch")
    assert "### hatch-sign verify: rejected" in step.summary
    assert "| hash-mismatch |" in step.summary


def test_a_release_is_held_against_the_tag_of_the_run(project: Project) -> None:
    make_wheel(project)
    make_sdist(project)
    (project.folder / ".gitignore").write_text("home/\ndist/\nrunner/\n")
    make_checkout(project.folder)
    git(project, "tag", "v1.0")
    project.succeed("sign", "dist")
    may_leave = run_step(project, command="check", reference="refs/tags/v1.0")
    assert (may_leave.code, may_leave.outputs["verdict"], may_leave.outputs["count"]) == (0, "trusted", "2"), may_leave.log
    (project.folder / "added.py").touch()
    step = run_step(project, command="check", reference="refs/tags/v2.0")
    assert (step.code, step.outputs["verdict"]) == (1, "rejected")
    assert [line.partition("title=hatch-sign::")[2].partition(":")[0] for line in step.annotations] == [
        "tag",
        "commit",
        "tree",
    ]
    assert "### hatch-sign check: rejected" in step.summary


def test_a_policy_that_does_not_know_the_key_rejects_what_was_just_signed(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    project.succeed("key", "generate", "emulated:test/other")
    project.succeed("key", "export-public", "emulated:test/other", "-o", "other.pub")
    (project.folder / "policy.toml").write_text('verify = {require = ["sigstore"], trust = [{public-key = "other.pub"}]}\n')
    step = run_step(project, command="sign", policy="policy.toml")
    assert (step.code, step.outputs["verdict"]) == (1, "rejected")
    assert "untrusted" in step.annotations[0]


def test_a_pull_request_from_a_fork_opens_no_key(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    event = {"pull_request": {"head": {"repo": {"full_name": "stranger/app"}}}}
    step = run_step(project, command="sign", name="pull_request_target", event=event)
    assert (step.code, step.outputs["verdict"], step.outputs["count"]) == (1, "failed", "0")
    assert "no key is opened for a pull request from a fork" in step.annotations[0]
    assert project.names() == ["app-1.0.pyz"]
    own = {"pull_request": {"user": {"type": "User"}, "head": {"repo": {"full_name": "example/app"}}}}
    assert run_step(project, command="sign", name="pull_request_target", event=own).code == 0


def test_a_pull_request_of_dependabot_opens_no_key_and_can_be_verified(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    author = {"login": "dependabot[bot]", "type": "Bot"}
    event = {"pull_request": {"user": author, "head": {"repo": {"full_name": "example/app"}}}}
    step = run_step(project, command="sign", name="pull_request", event=event)
    assert (step.code, step.outputs["verdict"]) == (1, "failed")
    assert "no key is opened for a pull request that a bot opened" in step.annotations[0]
    project.succeed("sign", "dist")
    assert run_step(project, command="verify", name="pull_request", event=event).code == 0


def test_signatures_are_told_where_they_are(project: Project, tmp_path: Path) -> None:
    project.add("app-1.0.pyz", b"one")
    text = (project.folder / "hatch-sign.toml").read_text().replace('["sigstore"]', '["sigstore", "checksums"]')
    destination = f'[[publish]]\nto = "folder"\npath = "{tmp_path / "published"}"\n'
    (project.folder / "hatch-sign.toml").write_text(f'output-directory = "signatures"\n{text}\n{destination}')
    expected = [
        str(project.folder / "signatures" / name)
        for name in ("app-1.0.pyz.sigstore.json", "SHA256SUMS", "SHA256SUMS.sigstore.json")
    ]
    for command in ("sign", "verify", "upload"):
        step = run_step(project, command=command)
        assert step.code == 0, step.log
        assert sorted(step.outputs["signatures"].split("\n")) == sorted(expected), command
        assert sorted(step.outputs["bundle-paths"].split("\n")) == sorted({*expected} - {expected[1]})


def test_the_summary_shows_the_certificate_and_the_day_it_ends(project: Project) -> None:
    project.add("app-1.0.pyz", b"one")
    configure(project)
    (leaf, *_) = load_pem_x509_certificates((project.folder / "chain.pem").read_bytes())
    path, subject = project.folder / "hatch-sign.toml", leaf.subject.rfc4514_string()
    path.write_text(CERTIFIED.format(key=KEY, subject=subject))
    step = run_step(project, command="sign", policy="hatch-sign.toml")
    assert step.outputs["verdict"] == "trusted", step.log
    (row,) = (line for line in step.summary.splitlines() if "| trusted |" in line)
    document = json.loads(Path(step.outputs["report"]).read_bytes())
    validate(document, "verification")
    cell = f"{subject}, until {leaf.not_valid_after_utc:%Y-%m-%d}"
    assert html.unescape(row).split(" | ")[5] == cell
    path.write_text(path.read_text().replace("CN=Example Signer", "CN=Somebody Else"))
    step = run_step(project, command="verify")
    assert step.outputs["verdict"] == "rejected"
    assert cell in html.unescape(step.summary), "whose it was is known, and that nobody trusts it"
    assert "| wrong-identity |" in step.summary


HOSTILE = (
    "$(touch pwned) `touch pwned` '; touch pwned; \" | & > pwned\n--key=pwned\n::set-output name=x::y\n${{ github.token }}"
)


@pytest.mark.parametrize("name", ["files", "key", "formats", "timestamp", "plugins", "config", "require", "policy"])
def test_inputs_full_of_metacharacters_run_nothing(project: Project, name: str) -> None:
    project.add("app-1.0.pyz", b"one")
    before = {path.relative_to(project.folder) for path in project.folder.rglob("*")}
    value = HOSTILE if name in {"files", "formats", "timestamp", "plugins", "require"} else HOSTILE.replace("\n", " ")
    step = run_step(project, command="verify" if name == "require" else "sign", **{name: value})
    assert step.code == 2, step.log
    assert step.annotations, step.log
    assert all(line.startswith("::") or "hatch-sign" in line for line in step.log.splitlines() if "pwned" in line)
    made = {path.relative_to(project.folder) for path in project.folder.rglob("*")} - before
    assert {path.parts[0] for path in made} <= {"runner", "home"}


def test_a_name_that_looks_like_a_command_is_only_shown(project: Project) -> None:
    project.add("::error file=x::y|z.bin", b"one")
    step = run_step(project, command="verify")
    assert step.code == 1
    (annotation,) = step.annotations
    assert annotation.startswith("::error title=hatch-sign::")
    assert "error file=x::y|z.bin is rejected: sigstore: unsigned" in annotation
    assert not re.search(r"^\s*::error file", step.log, re.MULTILINE)
    assert "|z.bin" not in step.summary


def test_a_name_of_two_lines_is_refused_rather_than_listed(project: Project) -> None:
    project.add("a\nb.bin", b"one")
    step = run_step(project, command="sign")
    assert step.code != 0
    assert step.outputs["verdict"] == "failed"
    assert step.outputs["signatures"] == ""


def test_publishes_what_was_verified(project: Project, tmp_path: Path) -> None:
    artifact = project.add("app-1.0.pyz", b"one")
    configured = project.folder / "hatch-sign.toml"
    configured.write_text(f'{configured.read_text()}\n[[publish]]\nto = "folder"\npath = "{tmp_path / "published"}"\n')
    project.succeed("sign", "dist")
    step = run_step(project, command="upload", to="folder")
    assert (step.code, step.outputs["verdict"]) == (0, "trusted"), step.log
    assert sorted(os.listdir(tmp_path / "published")) == ["app-1.0.pyz", "app-1.0.pyz.sigstore.json"]  # noqa: PTH208 - names are enough
    artifact.write_bytes(b"One")
    step = run_step(project, command="upload", to="folder")
    assert (step.code, step.outputs["verdict"]) == (1, "rejected")
