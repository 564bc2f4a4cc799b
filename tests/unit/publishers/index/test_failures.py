"""An index that is down, slow, refusing, or cut off: one line says it, nothing is stored twice, and no token is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.values.errors import ConfigurationError, PublishError
from tests.indexes import Index, index_serving
from tests.unit.services.https_server import Answer

from .releases import SDIST, TIME, TOKEN, WHEEL, environment, publish, release, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def index() -> Iterator[Index]:
    with index_serving() as serving:
        yield serving


# --- answers that refuse -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (301, "redirects to another address, which is not followed (301)"),
        (400, "did not take it (400)"),
        (401, "did not accept the credential: it is wrong, or has expired (401)"),
        (403, "refused: the credential is wrong, or may not upload to this project (403)"),
        (404, "has nothing there to upload to (404)"),
        (405, "takes no uploads at this address (405)"),
        (413, "takes no file of this size (413)"),
        (501, "gave an answer that is not one of this service (501)"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(index: Index, tmp_path: Path, status: int, found: str) -> None:
    index.fail(Answer(status, b"<h1>Refused</h1><p>because of the project</p>", {"Content-Type": "text/html"}))
    line = shown(index, tmp_path)
    assert line.startswith(f"{WHEEL}: http://127.0.0.1:{index.service.port}/legacy/ {found}")
    assert ("saying: Refused because of the project" in line) is (status != 301)
    assert len(index.posts) == 1


@pytest.mark.parametrize(("status", "found"), [(429, "asked for fewer uploads"), (500, "failed"), (503, "failed")])
def test_what_may_pass_is_repeated_a_few_times(index: Index, tmp_path: Path, status: int, found: str) -> None:
    index.fail(*[Answer(status)] * 3)
    line = shown(index, tmp_path)
    assert f"/legacy/ {found} 3 times ({status})" in line
    assert line.endswith("run it again later: what is there already is not sent twice")
    index.fail(Answer(status))
    assert publish(index, release(tmp_path)).deeds == {WHEEL: "uploaded", SDIST: "uploaded"}


def test_a_pause_that_is_asked_for_is_kept(index: Index, tmp_path: Path) -> None:
    TIME.slept.clear()
    index.fail(Answer(429, headers={"Retry-After": "7"}))
    publish(index, release(tmp_path))
    assert sum(TIME.slept) == 7.0


def test_a_pause_beyond_the_limit_is_not_begun(index: Index, tmp_path: Path) -> None:
    index.fail(Answer(503, headers={"Retry-After": "100000"}))
    assert "wants 100000 s of patience beyond the limit of 120 s" in shown(index, tmp_path)
    assert len(index.posts) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_told_and_never_followed(index: Index, tmp_path: Path, status: int) -> None:
    with index_serving() as other:
        there = f"http://user:hidden-password@127.0.0.1:{other.service.port}/legacy/?key=hidden-password"
        index.fail(Answer(status, headers={"Location": there}))
        line = shown(index, tmp_path)
        assert f"redirects to http://127.0.0.1:{other.service.port}/legacy/, which is not followed ({status})" in line
        assert "hidden-password" not in line
        assert other.requests == []


def test_a_redirect_that_repeats_the_token_is_not_quoted(index: Index, tmp_path: Path) -> None:
    index.fail(Answer(302, headers={"Location": f"http://127.0.0.1/{TOKEN}/"}))
    assert "redirects to another address, which is not followed" in shown(index, tmp_path)


def test_a_missing_slash_is_a_redirect_too(index: Index, tmp_path: Path) -> None:
    assert "redirects to" in shown(index, tmp_path, repository_url=index.url.rstrip("/"))


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "Package already exists"),
        (400, "Repository does not allow updating assets: pypi"),
        (400, "packages/demo.whl cannot be updated"),
        (400, '{"message":"Validation failed: File name has already been taken"}'),
        (403, "Not enough permissions to delete/overwrite artifact"),
        (409, "conflict"),
    ],
)
def test_every_way_to_say_that_a_file_is_there_is_understood(tmp_path: Path, status: int, text: str) -> None:
    with index_serving(Index(listing="none")) as index:
        index.fail(*[Answer(status, text.encode())] * 2)
        assert publish(index, release(tmp_path), skip_existing=True).deeds == {WHEEL: "present", SDIST: "present"}
        index.fail(Answer(status, b"something else") if status != 409 else Answer(400))
        with pytest.raises(PublishError, match=r"\(403\)" if status == 403 else r"did not take it \(400\)"):
            publish(index, release(tmp_path), skip_existing=True)


# --- credentials ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 500])
@pytest.mark.parametrize("case", [str, str.upper])
def test_an_index_that_repeats_the_token_is_not_quoted(index: Index, tmp_path: Path, status: int, case: object) -> None:
    echo = case(f"no such login: __token__:{TOKEN}")  # type: ignore[operator] # one of two methods of strings
    index.fail(*[Answer(status, echo.encode())] * 3)
    assert "no such login" not in shown(index, tmp_path).lower()
    index.fail(*[Answer(status, echo[: -len(TOKEN) // 2].encode())] * 3)
    assert "no such login" not in shown(index, tmp_path).lower()


def test_what_the_index_says_reaches_no_terminal_as_it_is(index: Index, tmp_path: Path) -> None:
    index.fail(Answer(400, "bad\x1b[31m name\u202e\nnext line".encode(), {"Content-Type": "text/plain; charset=utf-8"}))
    assert "bad\\x1b[31m name\\u202e next line" in shown(index, tmp_path)


@pytest.mark.parametrize(("verbose", "length"), [(False, 160), (True, 500)])
def test_a_long_answer_is_clipped(index: Index, tmp_path: Path, *, verbose: bool, length: int) -> None:
    index.fail(Answer(400, b"x" * 100_000))
    line = shown(index, tmp_path, verbose=verbose)
    assert f"saying: {'x' * length}…;" in line


def test_a_wrong_token_is_refused(index: Index, tmp_path: Path) -> None:
    environ = {**environment(index), "TWINE_PASSWORD": "pypi-wrong-token"}
    with pytest.raises(PublishError, match=r"refused: the credential is wrong.*saying: Invalid") as caught:
        publish(index, release(tmp_path), environ=environ)
    assert "wrong-token" not in str(caught.value)
    assert index.stored == {}


def test_a_login_in_the_address_is_used_and_not_shown(index: Index, tmp_path: Path) -> None:
    address = index.url.replace("http://", f"http://__token__:{TOKEN}@")
    assert publish(index, release(tmp_path), environ={}, repository_url=address).deeds[WHEEL] == "uploaded"
    index.stored.clear()
    index.fail(Answer(404))
    shown(index, tmp_path, environ={}, repository_url=address)


def test_nothing_is_printed_or_logged(
    index: Index, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    index.fail(Answer(503, TOKEN.encode()), Answer(403, TOKEN.encode()))
    shown(index, tmp_path, verbose=True)
    publish(index, release(tmp_path), verbose=True)
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


# --- settings that say nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"repository_url": "index.example"}, "`repository-url` what is no http or https address: index.example;"),
        ({"repository_url": f"user:{TOKEN}@index.example/"}, "no http or https address: index.example/;"),
        (
            {"repository_url": "ftp://index.example/"},
            "`repository-url` what is no http or https address: ftp://index.example/;",
        ),
        ({"index_url": "simple"}, "`index-url` what is no http or https address: simple;"),
        ({"index_url": f"https://user:{TOKEN}@index.example/simple"}, "`index-url` with a login in it"),
        ({"repository_url": "https://pypi.python.org/pypi/"}, "takes no uploads any more"),
        ({"cert": "/nonexistent/roots.pem"}, "a `cert` that is not there"),
    ],
)
def test_settings_that_lead_nowhere_are_told(index: Index, tmp_path: Path, settings: dict[str, object], found: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        publish(index, release(tmp_path), **settings)
    assert found in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert index.requests == []
