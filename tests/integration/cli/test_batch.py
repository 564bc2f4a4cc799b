"""200 artifacts in one run: the PIN is read once, the token opened once, and each artifact read once, judged or not."""

from __future__ import annotations

import json
import os
import shutil
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
RUN
with open(sys.argv[1], "w") as stream:
    json.dump(opened, stream)
sys.exit(code)
"""
_COMMAND = """\
from hatch_sign.cli import main
code = main(sys.argv[2:])
"""
_BUILD = """\
from pathlib import Path
from hatch_sign.building.build import Build
from hatch_sign.building.voice import PlainVoice
build = Build(Path.cwd(), Path("dist").resolve(), os.environ, PlainVoice(os.environ))
build.start()
code = build.sign(Path(sys.argv[2]).resolve())
"""
"""What every hook of a build does with what was built."""

_CHANGING = """\
import os, sys
path, sidecar = sys.argv[1], sys.argv[1] + ".sigstore.json"
def written(data):
    with open(path, "r+b") as stream:
        stream.write(data)
def replaced(data):
    before = os.stat(path)
    with open(path + ".other", "wb") as stream:
        stream.write(data)
    os.utime(path + ".other", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(path + ".other", path)
def strike(event, arguments):
    if event == "os.rename" and os.fsdecode(arguments[1]) == sidecar:
        with open(path, "rb") as stream:
            data = stream.read()
        CHANGE(data[:-1] + b"!")
sys.addaudithook(strike)
from hatch_sign.cli import main
sys.exit(main(sys.argv[2:]))
"""
"""Changes the artifact when its sidecar is put in its place: after the last look of signing, before the judging."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("batch"))
    for number in range(ARTIFACTS):
        project.add(f"artifact-{number:03}.bin", number.to_bytes(2, "big") * 2000)
    (project.folder / "pin").write_text(PIN)
    (project.folder / "pin").chmod(0o600)
    return project


def count_openings(project: Project, *arguments: str, run: str = _COMMAND, **environ: str) -> Counter[Path]:
    counts = project.folder / "counts.json"
    ran = project.run(str(counts), *arguments, program=("-c", _COUNTING.replace("RUN", run)), **environ)
    assert ran.code == 0, ran.output
    return Counter({Path(name): count for name, count in json.loads(counts.read_text()).items()})


def test_one_pin_one_token_and_one_read_of_each_artifact_its_judgement_included(project: Project) -> None:
    key = f"emulated:test/release?pin-source=file:{project.folder / 'pin'}"
    environ = {"HATCH_SIGN_PIN": "", "HATCH_SIGN_KEY": key}
    opened = count_openings(project, "sign", "dist", **environ)
    artifacts = {path: opened[path] for path in project.dist.resolve().glob("*.bin")}
    assert len(artifacts) == ARTIFACTS
    assert set(artifacts.values()) == {1}, "to be signed; to be judged as a consumer will, that reading does"
    assert opened[(project.folder / "pin").resolve()] == 1
    audit = (project.folder / "home" / "audit.jsonl").read_text().splitlines()
    assert len(audit) == ARTIFACTS


def test_what_was_built_is_read_once_to_be_signed_and_judged_beside_older_signatures(project: Project) -> None:
    artifact = project.dist / "artifact-017.bin"
    stale = project.dist / f"{artifact.name}.older.sigstore.json"
    project.succeed("sign", str(artifact), "--overwrite")
    shutil.copy(f"{artifact}.sigstore.json", stale)
    artifact.write_bytes(b"built anew" * 1000)
    opened = count_openings(project, str(artifact), run=_BUILD)
    assert opened[artifact.resolve()] == 1
    assert not stale.exists()
    project.succeed("verify", str(artifact))


@pytest.mark.parametrize("change", ["written", "replaced"])
def test_an_artifact_that_changes_once_it_is_signed_is_judged_as_it_is_then(project: Project, change: str) -> None:
    artifact = project.dist / "artifact-042.bin"
    before, times = artifact.read_bytes(), (artifact.stat().st_atime_ns, artifact.stat().st_mtime_ns)
    program = _CHANGING.replace("CHANGE", change)
    ran = project.run(str(artifact), "sign", str(artifact), "--overwrite", program=("-c", program))
    changed = artifact.read_bytes()
    artifact.write_bytes(before)
    os.utime(artifact, ns=times)
    assert changed == before[:-1] + b"!", "of the same size, and as old where it was replaced"
    assert ran.code == 1
    assert "the project's own policy rejects it: sigstore is hash-mismatch" in ran.err
    project.succeed("sign", str(artifact), "--overwrite")


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
