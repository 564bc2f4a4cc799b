"""Runs workflows as a runner does, by `act` without containers; the actions of others are stubs that do their part of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..kms.vault.rig import openbao, settings
from .programs import ROOT, program, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INTO = (
    ".github",
    ".gitignore",
    "LICENSE",
    "README.md",
    "action",
    "action.yml",
    "hatch_sign",
    "plugins",
    "pre_commit_hooks",
    "pyproject.toml",
)
"""What the action is made of."""

STUB = """\
name: stub
description: what the machine has already
runs:
  using: composite
  steps:
    - shell: bash
      run: "true"
"""

BUILT = STUB.replace('"true"', "mkdir -p dist && echo built >dist/app-1.0.pyz")
"""Stands for the download of what another job built."""

UPLOAD = """\
name: upload-artifact
description: copies a folder into the store of the run; a name is taken once, and an empty folder is an error
inputs:
  name: {description: name, required: true}
  path: {description: folder, required: true}
  if-no-files-found: {description: error, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        FOLDER: ${{ inputs.path }}
      run: |
        test -n "$(ls "$FOLDER")"
        mkdir "$ARTIFACTS/$NAME"
        cp -R "$FOLDER/." "$ARTIFACTS/$NAME"
"""

DOWNLOAD = """\
name: download-artifact
description: copies from the store of the run, one artifact by its name or, into one folder, all that a pattern matches
inputs:
  name: {description: name, required: false}
  pattern: {description: pattern, required: false}
  merge-multiple: {description: whether they go into one folder, required: false}
  path: {description: folder, required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        PATTERN: ${{ inputs.pattern }}
        MERGE: ${{ inputs.merge-multiple }}
        FOLDER: ${{ inputs.path }}
      run: |
        test -n "$NAME" || test "$MERGE" = true
        mkdir -p "$FOLDER"
        for each in "$ARTIFACTS"/${PATTERN:-"$NAME"}; do cp -R "$each/." "$FOLDER"; done
"""


def copy_action(folder: Path) -> Path:
    """Copy what the action is made of."""
    ignored = shutil.ignore_patterns("__pycache__", "dist", "*.egg-info", ".*_cache")
    folder.mkdir()
    for name in INTO:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)
    return folder


def commit(folder: Path) -> None:
    """Give a folder a history of its own, or one commit more."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "--message=one")):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


def stubs_with_artifacts(folder: Path) -> dict[str, str | Path]:
    """Return the action itself, copied into `folder`, and stubs that keep artifacts of a run between its jobs."""
    return {
        "OWNER/hatch-sign": copy_action(folder / "action"),
        "actions/upload-artifact": UPLOAD,
        "actions/download-artifact": DOWNLOAD,
    }


def act(repository: Path, workflow: str, *arguments: str, stubs: Mapping[str, str | Path] = MappingProxyType({})) -> str:
    """Run `act` in a repository; return its log. Actions from elsewhere are `stubs` by their names, or do nothing.

    Artifacts are kept in the folder ``artifacts`` beside the repository; programs in ``bin`` beside it are found first.
    """
    temporary = repository.parent
    read = [repository / workflow, *repository.glob(".github/workflows/*.yml")]
    remote = {*re.findall(r"uses: ([\w.-]+/[\w.-]+@[0-9a-f]{40})", "".join(path.read_text("utf-8") for path in read))}
    local = []
    for number, each in enumerate(sorted(name for name in remote if "/checkout@" not in name)):
        given = stubs.get(each.partition("@")[0], STUB)
        folder = given if isinstance(given, Path) else temporary / f"stub-{number}"
        if isinstance(given, str):
            folder.mkdir(exist_ok=True)
            (folder / "action.yml").write_text(given)
        local += ["--local-repository", f"{each}={folder}"]
    machine = [f"--env={name}={value}" for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))]
    machine.append(f"--env=ARTIFACTS={temporary / 'artifacts'}")
    environ = {"XDG_CACHE_HOME": str(temporary / "cache"), "XDG_CONFIG_HOME": str(temporary / "config")}
    environ["PATH"] = os.pathsep.join([str(temporary / "bin"), os.environ["PATH"]])
    platforms = ("-P", "ubuntu-latest=-self-hosted", "-P", "self-hosted=-self-hosted")
    quiet = ("--pull=false", "--no-cache-server", "--no-recurse")
    command = (program("act"), "push", "-W", workflow, *platforms, *quiet, *local, *machine, *arguments)
    done = run(*command, folder=repository, **environ)
    return f"{done.stdout}\nexit code {done.returncode}"


def read(example: str, *, alone: bool = False) -> str:
    """Return an example whose cloud is OpenBao. With `alone`, no job waits for another: stubs bring what that would."""
    text = (ROOT / "examples/workflows" / example).read_text(encoding="utf-8")
    text = re.sub(r"kms\[(aws|azure|google)\]", "kms[vault]", text)
    return re.sub(r"\n    needs: \w+", "", text) if alone else text


def prepare(folder: Path, example: str, *, key: str, alone: bool = True) -> str:
    """Make a folder with ``release.pub`` a project that releases by an example (:func:`read`); return its workflow."""
    (folder / "release.yml").write_text(read(example, alone=alone))
    (folder / "pyproject.toml").write_text(
        f'[tool.hatch-sign]\nkey = "{key}"\nverify = {{trust = [{{public-key = "release.pub"}}]}}\n'
    )
    commit(folder)
    return "release.yml"


@contextmanager
def openbao_key(folder: Path) -> Iterator[list[str]]:
    """Run OpenBao, which stands for a cloud; yield what lends its key to `act`. The public half is put into `folder`."""
    served = folder.parent / "server"
    served.mkdir()
    with openbao(served) as server:
        server.make_key("release", "ecdsa-p256")
        environ = settings(server.url, folder.parent)
        export = ("key", "export-public", "openbao://release", "-o", "release.pub")
        done = run(sys.executable, "-m", "hatch_sign", *export, folder=folder, **environ)
        assert done.returncode == 0, done.stdout
        yield [f"--env={name}={value}" for name, value in environ.items() if name != "HOME"]
