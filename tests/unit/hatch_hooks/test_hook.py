"""What the hook does when Hatch calls it in unusual ways, and what it costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hatchling.bridge.app import Application

from hatch_sign.hatch_hooks import hatch_register_build_hook
from hatch_sign.hatch_hooks.hook import SignBuildHook, later_hooks
from hatch_sign.hatch_hooks.voice import Voice

_CONFIGURATION = '[tool.hatch-sign]\nkey = "emulated:absent/release"\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with a finished artifact, in a folder where signing is allowed."""
    monkeypatch.setenv("HATCH_SIGN_ALLOW_DIRECTORY", str(tmp_path))
    (tmp_path / "pyproject.toml").write_text(_CONFIGURATION)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "thing-1.0.bin").write_bytes(b"bytes")
    return tmp_path


def hook_for(root: Path, directory: str = "dist") -> SignBuildHook:
    nothing: Any = None  # neither the builder's settings nor the project's metadata are looked at
    return SignBuildHook(str(root), {}, nothing, nothing, str(root / directory), "custom", Application())


def test_it_is_registered_under_the_name_of_its_table() -> None:
    assert hatch_register_build_hook() is SignBuildHook
    assert SignBuildHook.PLUGIN_NAME == "sign"


def test_a_mistake_that_is_found_only_after_the_build_withdraws_the_artifact(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "pyproject.toml").write_text("[tool.hatch-sign]\nkey = 1\nformats = 2\n")
    with pytest.raises(SystemExit) as stopped:
        hook_for(root).finalize("standard", {}, str(root / "dist" / "thing-1.0.bin"))
    assert stopped.value.code == 2
    assert list((root / "dist").iterdir()) == []
    assert (root / ".hatch-sign" / "unsigned" / "thing-1.0.bin").read_bytes() == b"bytes"
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("hatch-sign: error: thing-1.0.bin is not signed: ")
    assert [line for line in said[:-1] if "key" in line]
    assert [line for line in said[:-1] if "formats" in line]


@pytest.mark.parametrize("from_sdist", [True, False])
def test_where_to_put_a_missing_file_is_said_to_who_builds_from_an_sdist(
    root: Path, capsys: pytest.CaptureFixture[str], *, from_sdist: bool
) -> None:
    (root / "pyproject.toml").write_text(_CONFIGURATION + '[[tool.hatch-sign.verify.trust]]\npublic-key = "release.pub"\n')
    if from_sdist:
        (root / "PKG-INFO").touch()
    with pytest.raises(SystemExit) as stopped:
        hook_for(root).initialize("standard", {"build_hooks": ("sign",)})
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "release.pub" in said
    assert ("the sdist must include each file that is named" in said) == from_sdist


def test_a_missing_token_withdraws_the_artifact(root: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        hook_for(root).finalize("standard", {}, str(root / "dist" / "thing-1.0.bin"))
    assert stopped.value.code == 3
    assert list((root / "dist").iterdir()) == []


def test_an_artifact_that_is_not_there_is_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        hook_for(root).finalize("standard", {}, str(root / "dist" / "other.bin"))
    assert stopped.value.code == 2
    assert "does not exist" in capsys.readouterr().err


def test_an_empty_folder_is_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "dist" / "binary").mkdir()
    with pytest.raises(SystemExit) as stopped:
        hook_for(root).finalize("standard", {}, str(root / "dist" / "binary"))
    assert stopped.value.code == 2
    assert "no artifact found" in capsys.readouterr().err


def test_abstaining_leaves_the_artifact_and_does_not_mind_the_configuration(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "pyproject.toml").write_text("[tool.hatch-sign]\nkey = 1\n")
    hook = hook_for(root)
    hook.initialize("editable", {"build_hooks": ("sign", "later")})
    hook.finalize("editable", {}, str(root / "dist" / "thing-1.0.bin"))
    assert (root / "dist" / "thing-1.0.bin").exists()
    assert capsys.readouterr().err == "hatch-sign: warning: thing-1.0.bin is not signed: an editable build is no release\n"


def test_only_hooks_after_ours_are_named() -> None:
    assert later_hooks(("custom", "sign"), "sign") == ()
    assert later_hooks(("sign", "custom", "other"), "sign") == ("custom", "other")
    assert later_hooks((), "sign") == ()


def test_cleaning_a_folder_that_is_not_there_is_no_error(root: Path) -> None:
    hook_for(root, "never-built").clean(["standard"])
    assert not (root / "never-built").exists()


def test_the_build_ends_even_where_the_application_goes_on() -> None:
    class Patient(Application):
        def abort(self, message: str = "", code: int = 1, **_: Any) -> None:  # noqa: ANN401 - Hatch's
            self.told = (message, code)

    application = Patient()
    with pytest.raises(SystemExit) as stopped:
        Voice(application).abort("no", 3)
    assert stopped.value.code == 3
    assert application.told == ("hatch-sign: error: no", 3)


def test_listing_the_hook_loads_nothing_heavy() -> None:
    """Hatch imports it for every project that has a plugin of anybody's."""
    code = "import sys, hatch_sign.hatch_hooks as hooks; hooks.hatch_register_build_hook(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"hatch_sign.hatch_hooks.hook", "hatchling"} <= loaded
    assert loaded.isdisjoint(
        {"cryptography", "rich", "hatch_sign.registry", "hatch_sign.configuration", "hatch_sign.signing"}
    )


def test_listing_the_publisher_loads_nothing_heavy_of_ours() -> None:
    """Hatch imports it for every `hatch publish`, whichever publisher is meant."""
    code = "import sys, hatch_sign.hatch_hooks as hooks; hooks.hatch_register_publisher(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"hatch_sign.hatch_hooks.publisher", "hatch.publish.plugin.interface"} <= loaded
    assert loaded.isdisjoint(
        {"cryptography", "twine", "hatch_sign.registry", "hatch_sign.configuration", "hatch_sign.publishing"}
    )


def test_where_only_hatchling_is_installed_nothing_of_hatch_is_imported() -> None:
    code = (
        "import sys; sys.modules['hatch'] = None\n"
        "from hatchling.plugin.manager import PluginManager\n"
        "print(PluginManager().build_hook.get('sign').PLUGIN_NAME)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "sign\n", done.stderr
