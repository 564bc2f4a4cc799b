"""What is installed, and in which environment; the programs that do it are recorded and not run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hatch_sign.values.errors import UsageError
from hatch_sign_action.installing import LISTS, InstallationError, choose, install

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "action/requirements"


@dataclass
class Recorder:
    """Notes what would be run; the program whose number is `failing` fails."""

    failing: int = 0
    ran: list[list[str]] = field(default_factory=list)
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        self.ran.append([*command])
        self.environ = environ
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        return int(len(self.ran) == self.failing)


def chosen(*plugins: str) -> tuple[list[str], list[str]]:
    installation = choose(plugins, root=ROOT, uploads=False)
    folders = [folder.relative_to(ROOT).as_posix() for folder in installation.folders]
    return folders, [path.stem for path in installation.lists]


def test_without_plugins_the_core_alone() -> None:
    assert chosen() == (["."], ["hatch-sign"])


def test_plugins_are_named_as_for_pip_or_in_short() -> None:
    expected = (
        [".", "plugins/hatch-sign-kms", "plugins/hatch-sign-pkcs11"],
        ["hatch-sign", "kms-aws", "kms-google", "pkcs11"],
    )
    assert chosen("hatch-sign-kms[google,aws]", "pkcs11") == expected
    assert chosen("PKCS11", "kms[aws]", "kms[google]") == expected


@pytest.mark.parametrize(
    "plugin", ["kms", "kms[oracle]", "kms[aws", "../../evil", "-r", "pkcs11==1", "pkcs11[x]", "evil", "kms[,]"]
)
def test_others_are_refused_with_those_that_there_are(plugin: str) -> None:
    with pytest.raises(UsageError, match=r"the action does not bring the plugin .*choose among authenticode, kms\[aws\]"):
        chosen(plugin)


def test_every_plugin_of_the_project_can_be_asked_for() -> None:
    named = {f"hatch-sign-{name.partition('[')[0]}" for name in LISTS}
    assert named == {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")}


def test_the_lists_are_complete_and_agree() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    lists = sorted(REQUIREMENTS.glob("*.txt"))
    assert {path.stem for path in lists} == {"hatch-sign", "upload", *(name for names in LISTS.values() for name in names)}
    for path in lists:
        entries = re.findall(
            r"^([a-z0-9.-]+)==(\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
            path.read_text(),
            re.MULTILINE,
        )
        names = {name for name, *_ in entries}
        assert {"cryptography", "hatchling", "pluggy"} <= names
        assert "hatch-sign" not in names
        assert len(entries) == len(re.findall("^[a-z]", path.read_text(), re.MULTILINE)), path.name
        assert "http" not in path.read_text(), "where packages come from belongs to the machine"
        for name, version, marker, _ in entries:
            versions.setdefault((name, marker), set()).add(version)
    assert {key: found for key, found in versions.items() if len(found) > 1} == {}


def test_everything_from_an_index_is_held_against_its_digest(tmp_path: Path) -> None:
    recorder = Recorder()
    secrets = {
        "HATCH_SIGN_PIN": "1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "2",
        "AWS_PROFILE": "3",
        "GH_TOKEN": "4",
        "HSM_PASSPHRASE": "5",
        "pin": "6",
        "PIP_TARGET": "/evil",
        "PIP_PYTHON": "/evil",
        "PYTHONPATH": "src",
    }
    kept = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "where the machine's packages are", "HOME": "/home"}
    python = install(choose([], root=ROOT, uploads=True), folder=tmp_path, environ={**secrets, **kept}, run=recorder)
    environment, needed, own = recorder.ran
    assert environment[0] == sys.executable
    assert {needed[0], own[0]} == {str(python)}
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps", f"--requirement={REQUIREMENTS / 'upload.txt'}"} <= {
        *needed
    }
    assert {"--no-index", "--no-build-isolation", "--no-deps", str(ROOT)} <= {*own}
    assert recorder.environ == kept


def test_an_environment_is_made_once_and_another_for_other_plugins(tmp_path: Path) -> None:
    first, second, third = Recorder(), Recorder(), Recorder()
    python = install(choose([], root=ROOT, uploads=False), folder=tmp_path, environ={}, run=first)
    assert install(choose([], root=ROOT, uploads=False), folder=tmp_path, environ={}, run=second) == python
    assert install(choose(["pkcs11"], root=ROOT, uploads=False), folder=tmp_path, environ={}, run=third) != python
    assert [len(each.ran) for each in (first, second, third)] == [3, 0, 3]


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_one_that_was_left_unfinished_is_made_afresh(tmp_path: Path, failing: int) -> None:
    with pytest.raises(InstallationError, match=r"could not (make an environment|install)"):
        install(choose([], root=ROOT, uploads=False), folder=tmp_path, environ={}, run=Recorder(failing))
    again = Recorder()
    install(choose([], root=ROOT, uploads=False), folder=tmp_path, environ={}, run=again)
    assert len(again.ran) == 3


def test_what_a_killed_installation_left_is_gone_before_the_next(tmp_path: Path) -> None:
    installation = choose([], root=ROOT, uploads=False)
    left = tmp_path / installation.digest() / "lib" / "half-installed.py"
    left.parent.mkdir(parents=True)
    left.touch()
    recorder = Recorder()
    install(installation, folder=tmp_path, environ={}, run=recorder)
    assert len(recorder.ran) == 3
    assert not left.exists()


def test_what_cannot_be_removed_is_not_installed_over(tmp_path: Path) -> None:
    installation = choose([], root=ROOT, uploads=False)
    (tmp_path / installation.digest()).write_text("no folder")
    recorder = Recorder()
    with pytest.raises(NotADirectoryError):
        install(installation, folder=tmp_path, environ={}, run=recorder)
    assert recorder.ran == []
