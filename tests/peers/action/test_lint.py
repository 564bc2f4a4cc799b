"""zizmor, actionlint and the published schemas find nothing in the action and the workflows, and would."""

from __future__ import annotations

import re
from pathlib import Path

from .programs import ROOT, WORKFLOWS, program, run

DEFINITION = ROOT / "action.yml"
PINNED = re.compile(r"uses: (?:\./|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$")

CARELESS = """\
name: careless
on: pull_request_target
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@main
      - run: echo ${{ github.event.pull_request.title }}
      - run: echo ${{ steps.nowhere.outputs.nothing }}
"""


def careless(folder: Path) -> str:
    path = folder / ".github/workflows/careless.yml"
    path.parent.mkdir(parents=True)
    path.write_text(CARELESS)
    return str(path)


def test_there_is_something_to_look_at() -> None:
    assert len(WORKFLOWS) >= 12
    assert DEFINITION.is_file()


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    command = [program("zizmor"), "--offline", "--pedantic", "--no-progress", "--config", str(ROOT / ".github/zizmor.yml")]
    done = run(*command, str(DEFINITION), *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout
    done = run(*command, careless(tmp_path))
    assert done.returncode != 0
    assert {"template-injection", "unpinned-uses", "dangerous-triggers"} <= {*re.findall(r"\[([a-z-]+)\]", done.stdout)}


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    done = run(program("actionlint"), "-config-file", str(ROOT / ".github/actionlint.yaml"), *map(str, WORKFLOWS))
    assert (done.returncode, done.stdout) == (0, "")
    done = run(program("actionlint"), careless(tmp_path))
    assert done.returncode == 1
    assert "potentially untrusted" in done.stdout
    assert 'property "nowhere" is not defined' in done.stdout


def test_the_published_schemas_take_them(tmp_path: Path) -> None:
    check = program("check-jsonschema")
    done = run(check, "--builtin-schema", "vendor.github-actions", str(DEFINITION))
    assert done.returncode == 0, done.stdout
    done = run(check, "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(CARELESS.replace("jobs:", "job:"))
    assert run(check, "--builtin-schema", "vendor.github-workflows", str(wrong)).returncode == 1


def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it() -> None:
    for path in WORKFLOWS:
        used = [
            line.strip().removeprefix("- ") for line in path.read_text(encoding="utf-8").splitlines() if "uses: " in line
        ]
        assert [line for line in used if not line.startswith("#") and not PINNED.fullmatch(line)] == [], path


def test_no_job_is_granted_what_it_does_not_say() -> None:
    for path in WORKFLOWS:
        assert re.search(r"^permissions: \{\}$", path.read_text(encoding="utf-8"), re.MULTILINE), path
