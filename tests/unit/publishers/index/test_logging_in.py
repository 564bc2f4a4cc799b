"""Who uploads: found as twine's users have it, asked for on a terminal only, and never shown."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from twine.exceptions import TrustedPublishingFailure

from hatch_sign.publishers.index.connection import load_twine
from hatch_sign.publishers.index.publisher import IndexPublisher
from hatch_sign.publishers.index.settings import IndexSettings, read_settings
from hatch_sign.publishers.index.silence import prompts_only, silence
from hatch_sign.publishers.index.translate import credential_error
from hatch_sign.values.errors import ConfigurationError, PluginError, PublishError
from tests.indexes import Index, index_serving
from tests.terminals import converse
from tests.unit.publishers.release_files import Heard
from tests.unit.services.https_server import Answer

from .releases import SDIST, TOKEN, WHEEL, environment, publish, release

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[4]


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


# --- what is said where -----------------------------------------------------------------------------------------------


def test_settings_win_over_the_environment() -> None:
    environ = {"TWINE_REPOSITORY": "theirs", "TWINE_REPOSITORY_URL": "https://theirs.example/", "TWINE_USERNAME": "them"}
    assert read_settings({}, environ).repository_url == "https://theirs.example/"
    chosen = read_settings({"repository": "ours", "username": "us"}, environ)
    assert (chosen.repository, chosen.repository_url, chosen.username) == ("ours", None, "us")


@pytest.mark.parametrize(("value", "expected"), [("", False), ("no", False), ("0", False), ("False", False), ("1", True)])
def test_prompts_are_switched_off_as_twine_has_it(value: str, *, expected: bool) -> None:
    assert read_settings({}, {"TWINE_NON_INTERACTIVE": value}).non_interactive is expected
    assert read_settings({"non-interactive": True}, {"TWINE_NON_INTERACTIVE": value}).non_interactive


def test_the_password_is_not_in_the_text_of_the_settings() -> None:
    chosen = read_settings({}, {"TWINE_PASSWORD": TOKEN})
    assert chosen.password == TOKEN
    assert TOKEN not in repr(chosen)


@pytest.mark.parametrize(
    "text", ["no ini", f"[ours]\npassword = {TOKEN}\n{TOKEN}", "[distutils]\nindex-servers = ours\n[ours]\nusername = u"]
)
def test_a_pypirc_that_cannot_be_read_is_not_quoted(tmp_path: Path, text: str) -> None:
    pypirc = tmp_path / "pypirc"
    pypirc.write_text(text)
    with pytest.raises(ConfigurationError, match=r"the repository 'ours' (cannot be read from|has no section)") as caught:
        load_twine(IndexSettings(repository="ours", config_file=str(pypirc)), interactive=False)
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_pypirc_with_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    pypirc = tmp_path / "pypirc"
    pypirc.write_text(f"[distutils]\nindex-servers = ours\n[ours]\nrepository = user:{TOKEN}@index.example\n")
    with pytest.raises(ConfigurationError, match="no http or https address") as caught:
        load_twine(IndexSettings(repository="ours", config_file=str(pypirc)), interactive=False)
    assert TOKEN not in str(caught.value)


def test_a_preview_asks_nobody(index: Index, tmp_path: Path) -> None:
    preview = IndexPublisher().preview({"repository-url": index.url}, Heard().context())
    assert preview.title == index.url
    assert [preview.drops(file) for file in release(tmp_path)] == ["", ""]
    assert index.requests == []


def test_without_twine_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "twine", None)
    monkeypatch.delitem(sys.modules, "twine.settings", raising=False)
    with pytest.raises(PluginError, match=r"needs the package twine.*pip install \"twine>=6\.1\""):
        IndexPublisher().preview({}, Heard().context())


# --- terminals -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no pseudo-terminals")
def test_on_a_terminal_a_login_is_asked_for_on_standard_error(index: Index, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; sys.path.insert(0, os.environ['CHECKOUT'])\n"
        "from tests.unit.publishers.index.releases import *\n"
        "class There: url, login = os.environ['INDEX'], None\n"
        "print(publish(There, release(pathlib.Path(os.environ['FOLDER']))).deeds)\n"
    )
    given = {"CHECKOUT": os.fspath(CHECKOUT), "INDEX": index.url, "FOLDER": os.fspath(tmp_path)}
    environ = {**os.environ, **given, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    with (tmp_path / "output").open("w+b") as output:
        command, answers = [sys.executable, "-c", code], [b"__token__", TOKEN.encode()]
        status, screen = converse(command, answers, environ=environ, output=output)
        output.seek(0)
        said = output.read().decode()
    assert status == 0, screen
    assert "Enter your username: __token__" in screen
    assert "Enter your password: " in screen
    assert said.strip() == str({WHEEL: "uploaded", SDIST: "uploaded"})
    assert TOKEN not in said + screen


# --- Trusted Publishing -----------------------------------------------------------------------------------------------


def test_the_reasons_of_trusted_publishing_are_told_by_their_codes() -> None:
    told = (
        f"the index server gave the following reasons:\n\n* `invalid-publisher`: no publisher for {TOKEN}\n* `{TOKEN}!`: x"
    )
    error = credential_error(TrustedPublishingFailure(told), "https://upload.pypi.org/legacy/")
    assert str(error).startswith("https://upload.pypi.org/legacy/: Trusted Publishing gave no token (invalid-publisher)")
    assert TOKEN not in str(error)


def test_an_index_that_cannot_be_asked_for_a_token_is_told() -> None:
    error = credential_error(requests.ConnectTimeout(TOKEN), "https://upload.pypi.org/legacy/")
    assert "no credential could be had: the index did not answer in time" in str(error)
    assert "Trusted Publishing" in str(error)
    assert TOKEN not in str(error)


# --- silence ----------------------------------------------------------------------------------------------------------


def test_nothing_is_said_and_everything_is_restored(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("twine.somewhere")
    before = logging.getLogger("twine").propagate, list(logging.getLogger("twine").handlers)
    with silence():
        print("Uploading")  # noqa: T201 - as twine does
        logger.warning("warning")
    assert capsys.readouterr() == ("", "")
    with prompts_only():
        print("Enter your password:")  # noqa: T201 - as twine does
    assert capsys.readouterr() == ("", "Enter your password:\n")
    assert (logging.getLogger("twine").propagate, list(logging.getLogger("twine").handlers)) == before


def test_a_run_that_is_given_up_waits_no_longer(index: Index, tmp_path: Path) -> None:
    index.fail(Answer(503))
    context = Heard().context(environment(index))
    context.stop()
    with (
        IndexPublisher().open({"repository-url": index.url}, context) as destination,
        pytest.raises(PublishError, match="and the run is being given up"),
    ):
        destination.publish(release(tmp_path), Heard())
    assert publish(index, release(tmp_path)).deeds == {WHEEL: "uploaded", SDIST: "uploaded"}
