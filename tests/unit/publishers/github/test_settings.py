"""Which release is meant, which token belongs to it, and to whom it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract import Previews, Publisher
from hatch_sign.publishers.github.publisher import GitHubPublisher
from hatch_sign.publishers.github.releases import takes_uploads
from hatch_sign.publishers.github.settings import read_place, token_variables
from hatch_sign.values.errors import ConfigurationError, PublishError
from tests.github_releases import TOKEN, FakeGitHub
from tests.unit.publishers.release_files import Heard
from tests.unit.services.https_server import Answer, Service, serving

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile

    from .conftest import Client

ACTIONS = {"GITHUB_REPOSITORY": "example/app", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}


# --- which release ----------------------------------------------------------------------------------------------------


def test_a_run_for_a_tag_needs_no_settings() -> None:
    place = read_place({}, {**ACTIONS, "GITHUB_API_URL": "https://github.example/api/v3/"})
    assert (place.repository, place.tag, place.api) == ("example/app", "v1.0", "https://github.example/api/v3")
    assert place.draft
    assert place.title == "https://github.example/api/v3/repos/example/app/releases/tags/v1.0"


def test_settings_come_first() -> None:
    place = read_place({"repository": "o/n", "tag": "rel/2", "api-url": "https://api.github.com"}, ACTIONS)
    assert place.title == "https://github.com/o/n/releases/tag/rel/2"


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_place({"api-url": "http://github.example"}, {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"})
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["`api-url`", "`repository`", "`tag`"]


@pytest.mark.parametrize(
    "api",
    [
        "http://github.example",
        "https://user:secret@github.example",
        "https://",
        "ftp://x",
        "x",
        "https://x/?q",
        "https://[::1",
    ],
)
def test_an_address_that_would_give_the_token_away_is_refused(api: str) -> None:
    with pytest.raises(ConfigurationError, match="is no https address without a password") as caught:
        read_place({"api-url": api}, ACTIONS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "api", ["http://127.0.0.1:8000/api", "http://localhost", "http://[::1]:1/x", "https://github.example/api/v3"]
)
def test_this_machine_and_tls_may_have_it(api: str) -> None:
    assert read_place({"api-url": api}, ACTIONS).api == api


@pytest.mark.parametrize(
    "repository", ["app", "a/b/c", "a/..", "a/.", "/b", "a/", "a b/c", "a/b?c", "../b", "a/b#", "a/b%2f"]
)
def test_what_is_no_repository_is_refused(repository: str) -> None:
    with pytest.raises(ConfigurationError, match="which is not OWNER/NAME"):
        read_place({"repository": repository}, ACTIONS)


@pytest.mark.parametrize(
    "tag", ["-v1", "v 1", "v1\n", "a..b", "a//b", "a/", "/a", "a?", "a*", "a~1", "a^", "a:b", "a[", "a\\b", "x" * 256]
)
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ConfigurationError, match="which is no name of a tag"):
        read_place({"tag": tag}, ACTIONS)


# --- which token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "run", "expected"),
    [
        ("https://api.github.com", "", ("GH_TOKEN", "GITHUB_TOKEN")),
        ("https://api.example.ghe.com", "", ("GH_TOKEN", "GITHUB_TOKEN")),
        ("https://github.example/api/v3", "", ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")),
        ("https://github.example/api/v3", "https://api.github.com", ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")),
        ("https://api.github.com.example", "", ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")),
        ("https://evilghe.com", "", ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")),
        (
            "https://github.example/api/v3",
            "https://github.example/api/v3/",
            ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN"),
        ),
    ],
)
def test_the_token_of_github_com_is_told_to_no_other_host(api: str, run: str, expected: tuple[str, ...]) -> None:
    assert token_variables(api, {"GITHUB_API_URL": run}) == expected


def test_no_token_is_told_before_anything_is_asked(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    del client.environ["GITHUB_TOKEN"]
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    wanted = "wants a token, and neither GH_ENTERPRISE_TOKEN nor GITHUB_ENTERPRISE_TOKEN nor GITHUB_TOKEN is set; "
    assert str(error).endswith(f"{wanted}set GH_ENTERPRISE_TOKEN to one with the permission contents: write")
    assert github.requests == 0


@pytest.mark.parametrize("token", ["a b", "a\nX-Other: b", "ä", "a\x00b", " "])
def test_what_is_no_token_is_told_and_not_shown(
    client: Client, github: FakeGitHub, files: list[ReleaseFile], token: str
) -> None:
    client.environ["GITHUB_TOKEN"] = token
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    assert "what is given as the token is none" in str(error)
    assert github.requests == 0


def test_a_line_end_after_the_token_does_not_matter(client: Client, files: list[ReleaseFile]) -> None:
    client.environ["GITHUB_TOKEN"] += "\n"
    assert len(client.publish(files).uploaded) == len(files)


# --- to whom it is told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "uploads", "allowed"),
    [
        ("https://api.github.com", "https://uploads.github.com/repos/o/n/releases/1/assets", True),
        ("https://api.github.com", "https://uploads.github.com.example/repos", False),
        ("https://api.github.com", "https://api.github.com/repos", False),
        ("https://api.github.com", "http://uploads.github.com/repos", False),
        ("https://api.github.com", "https://uploads.github.com:8443/repos", False),
        ("https://api.github.com", "https://x@uploads.github.com/repos", False),
        ("https://api.github.com", "https://uploads.github.com/repos?name=x", False),
        ("https://api.example.ghe.com", "https://uploads.example.ghe.com/repos", True),
        ("https://api.example.ghe.com", "https://uploads.other.ghe.com/repos", False),
        ("https://github.example/api/v3", "https://github.example/api/uploads/repos", True),
        ("https://github.example/api/v3", "https://uploads.github.com/repos", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8001/", False),
        ("https://github.example", "https://github.example:port/", False),
        ("https://github.example", "", False),
    ],
)
def test_uploads_go_to_servers_of_githubs_own(api: str, uploads: str, *, allowed: bool) -> None:
    assert takes_uploads(api, uploads) is allowed


def test_uploads_that_are_led_elsewhere_are_not_sent(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    with serving(Service(lambda _: Answer(201)), None) as foreign:
        github.uploads_at = foreign.origin
        error, _ = client.failure(files)
    assert f"GitHub wants uploads sent to {foreign.origin}/repos" in str(error)
    assert "which is not its own; check `api-url`: the token is told to no other server" in str(error)
    assert foreign.requests == []


@pytest.mark.parametrize("call", ["tag", "upload"])
def test_a_redirect_does_not_take_the_token_along(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], call: str
) -> None:
    with serving(Service(lambda _: Answer(404)), None) as foreign:
        github.fail(call, Answer(307, headers={"Location": f"{foreign.origin}/x"}))
        if call == "tag":
            client.publish(files)
        else:
            client.failure(files)
    (request,) = foreign.requests
    assert "authorization" not in request.headers
    assert TOKEN not in str(request)


def test_bytes_are_lent_by_another_server_without_the_token(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    client.publish(files)
    github.tells_digests = False
    client.publish(files)
    assert len(github.storage.requests) == len(files)
    assert all("authorization" not in request.headers for request in github.storage.requests)


# --- the port ---------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_before_it_is_published_to(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    publisher = GitHubPublisher()
    assert isinstance(publisher, Previews)
    as_port: Publisher = publisher
    preview = publisher.preview(client.settings, Heard().context({"GITHUB_API_URL": github.api}))
    assert [preview.drops(file) for file in files] == [""] * len(files)
    with as_port.open(client.settings, Heard().context(client.environ)) as destination:
        assert destination.title == preview.title == f"{github.api}/repos/example/app/releases/tags/v1.0"
        assert [destination.drops(file) for file in files] == [""] * len(files)
    assert github.requests == 0
