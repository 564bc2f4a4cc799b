"""200 artifacts in one run: the PIN is read once, the token opened once, and each artifact read once to be signed."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from .cli_project import PIN, Project, make_project

ARTIFACTS = 200

_COUNTING = """\
import json, os, sys
from collections import Counter
opened = Counter()
def count(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        opened[os.path.realpath(os.fsdecode(arguments[0]))] += 1
sys.addaudithook(count)
from hatch_sign.cli import main
code = main(sys.argv[2:])
with open(sys.argv[1], "w") as stream:
    json.dump(opened, stream)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("batch"))
    for number in range(ARTIFACTS):
        project.add(f"artifact-{number:03}.bin", number.to_bytes(2, "big") * 2000)
    (project.folder / "pin").write_text(PIN)
    (project.folder / "pin").chmod(0o600)
    return project


def count_openings(project: Project, *arguments: str, **environ: str) -> Counter[Path]:
    counts = project.folder / "counts.json"
    ran = project.run(str(counts), *arguments, program=("-c", _COUNTING), **environ)
    assert ran.code == 0, ran.output
    return Counter({Path(name): count for name, count in json.loads(counts.read_text()).items()})


def test_one_pin_one_token_and_one_read_of_each_artifact_besides_its_judgement(project: Project) -> None:
    key = f"emulated:test/release?pin-source=file:{project.folder / 'pin'}"
    environ = {"HATCH_SIGN_PIN": "", "HATCH_SIGN_KEY": key}
    opened = count_openings(project, "sign", "dist", **environ)
    artifacts = {path: opened[path] for path in project.dist.resolve().glob("*.bin")}
    assert len(artifacts) == ARTIFACTS
    assert set(artifacts.values()) == {2}, "once to be signed, and once to be judged as a consumer will"
    assert opened[(project.folder / "pin").resolve()] == 1
    audit = (project.folder / "home" / "audit.jsonl").read_text().splitlines()
    assert len(audit) == ARTIFACTS


def test_where_nobody_is_trusted_each_artifact_is_read_once(project: Project) -> None:
    (project.folder / "untrusting.toml").write_text('key = "emulated:test/release"\n')
    opened = count_openings(project, "sign", "dist", "--overwrite", "--config", "untrusting.toml")
    artifacts = [opened[path] for path in project.dist.resolve().glob("*.bin")]
    assert artifacts == [1] * ARTIFACTS


def test_verifying_reads_each_artifact_and_each_signature_once(project: Project) -> None:
    project.succeed("sign", "dist")
    opened = count_openings(project, "verify", "dist")
    counts = Counter(opened[path] for path in project.dist.resolve().iterdir())
    assert counts == {1: 2 * ARTIFACTS}


def test_one_changed_artifact_among_many_is_the_only_one_refused(project: Project) -> None:
    project.succeed("sign", "dist")
    changed = project.dist / "artifact-117.bin"
    data = changed.read_bytes()
    changed.write_bytes(data[:-1] + b"\xff")
    ran = project.run("verify", "dist")
    changed.write_bytes(data)
    assert ran.code == 1
    assert ran.out.count("hash-mismatch") == 1
    assert ran.out.count(" trusted ") == ARTIFACTS - 1
