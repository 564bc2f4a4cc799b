"""GitHub slow, down, refusing, cut in the middle: what is done stays, nothing is sent twice, and it is told in one line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.values.errors import PublishError, RejectedError
from tests.github_releases import FakeGitHub, Fault
from tests.ports import free_port
from tests.unit.publishers.release_files import BUNDLE, IN_ORDER, WHEEL
from tests.unit.services.https_server import Answer

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile

    from .conftest import Client

GONE = Answer(200, b"lost", fault="vanish")


def message(text: str, status: int, **headers: str) -> Answer:
    return Answer.of(status, {"message": text}, **headers)


# --- what passes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["tag", "list", "ref", "assets", "publish"])
@pytest.mark.parametrize("first", [Answer(500), Answer(502), Answer(503), GONE, Answer(200, b"{}" * 100, fault="cut")])
def test_a_question_is_asked_again(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], call: str, first: Answer
) -> None:
    github.fail(call, first, first)
    heard = client.publish(files, draft=False)
    assert heard.uploaded == IN_ORDER
    assert github.calls.count(call) >= 3
    assert len(github.releases) == 1


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("answer", [Answer(502), GONE])
def test_a_release_whose_making_was_not_answered_is_looked_for(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], answer: Answer, *, done: bool
) -> None:
    github.fail("create", Fault(answer, done=done))
    client.publish(files)
    assert len(github.releases) == 1
    assert github.calls.count("create") == (1 if done else 2)


@pytest.mark.parametrize("answer", [Answer(502), Answer(504), GONE])
@pytest.mark.parametrize("fate", ["nothing", "part", "done"])
def test_an_upload_that_was_not_answered_is_looked_for_and_sent_again(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], answer: Answer, fate: str
) -> None:
    github.fail("upload", Fault(answer, done=fate == "done", part=fate == "part"))
    heard = client.publish(files)
    assert heard.uploaded == IN_ORDER
    assert github.calls.count("upload") == len(files) + (fate != "done")
    assert github.calls.count("delete") == (fate == "part")
    assert github.releases[0].contents().keys() == set(IN_ORDER)


def test_an_upload_that_is_cut_in_the_middle_is_sent_again(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    github.add_release()
    github.service.cut_after.extend([3, 0])
    assert client.publish(files).uploaded == IN_ORDER
    assert github.releases[0].contents()[BUNDLE] == b"bundle"


def test_after_the_last_attempt_what_was_done_stays_and_the_rest_follows(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    client.publish(files[1:2])
    github.fail("upload", *[Answer(503)] * 3)
    error, heard = client.failure(files)
    assert isinstance(error, PublishError)
    assert "GitHub failed 3 times (503); run again: what is uploaded stays, and the rest follows" in str(error)
    assert (heard.present, heard.uploaded) == ([BUNDLE], [])
    github.calls.clear()
    again = client.publish(files)
    assert (again.present, again.uploaded) == ([BUNDLE], IN_ORDER[1:])
    assert github.calls.count("upload") == len(files) - 1


def test_a_pause_that_is_asked_for_is_kept(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.fail("upload", message("slow down", 429, Retry_After="0"), message("x", 403, Retry_After="0"))
    github.fail("assets", Answer(503, headers={"Retry-After": "0"}))
    assert client.publish(files).uploaded == IN_ORDER


@pytest.mark.parametrize(
    ("answer", "patience"),
    [
        (message("x", 429, Retry_After="4000"), "4000 s"),
        (message("x", 403, Retry_After="4000"), "4000 s"),
        (message("API rate limit exceeded", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="32503680000"), r"\d{11} s"),
        (message("API rate limit exceeded", 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="soon"), "60 s"),
        (message("You have exceeded a secondary rate limit", 403), "60 s"),
        (message("x", 429), "60 s"),
    ],
)
def test_a_limit_that_ends_too_late_is_told(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], answer: Answer, patience: str
) -> None:
    client.limits = replace(client.limits, total=50.0)
    github.fail("tag", answer)
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    assert re.search(f"GitHub asked for fewer calls, and wants {patience} of patience", str(error))
    assert "run again later: what is uploaded stays" in str(error)
    assert len(github.calls) == 1


# --- what does not ----------------------------------------------------------------------------------------------------


def test_nobody_there(client: Client, files: list[ReleaseFile]) -> None:
    client.environ["GITHUB_API_URL"] = f"http://127.0.0.1:{free_port()}"
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    assert error.exit_code == 3
    assert "GitHub refused the connection 3 times; run again" in str(error)


def test_an_answer_that_does_not_come_is_not_waited_for(
    github: FakeGitHub, client: Client, files: list[ReleaseFile]
) -> None:
    client.limits = replace(client.limits, read=0.2, attempts=1)
    github.fail("tag", Answer(200, b"{}", fault="stall"))
    error, _ = client.failure(files)
    assert "GitHub did not answer in time" in str(error)


def test_a_wrong_token_is_told(client: Client, files: list[ReleaseFile]) -> None:
    client.environ["GITHUB_TOKEN"] += "x"
    error, _ = client.failure(files)
    assert "GitHub did not accept the token: it is wrong, or has expired (401); make a new token, and run again" in str(
        error
    )


def test_a_token_that_may_not_write_is_told(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.may_write = False
    error, _ = client.failure(files)
    assert "GitHub does not let the token do this (403); give the token the permission contents: write" in str(error)
    github.add_release(draft=False)
    error, _ = client.failure(files)
    assert f"{BUNDLE}: GitHub does not let the token do this (403)" in str(error)


def test_single_sign_on_is_told(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    github.fail("tag", message("Resource protected by organization SAML enforcement.", 403, X_GitHub_SSO="required; url=x"))
    error, _ = client.failure(files)
    assert "GitHub wants the token to be authorised for the organisation's single sign-on (403)" in str(error)


def test_a_repository_that_is_not_shown_is_told(client: Client, files: list[ReleaseFile]) -> None:
    error, _ = client.failure(files, repository="example/other")
    expected = "GitHub has no such repository, or does not show it to the token (404); check `repository`; where it is right"
    assert expected in str(error)
    assert "give the token the permission contents: write" in str(error)


def test_a_name_that_is_taken_and_not_listed_is_told(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    taken = Answer.of(422, {"errors": [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]})
    github.fail("upload", *[taken] * 3)
    error, _ = client.failure(files)
    expected = (
        f"{BUNDLE}: GitHub has an asset of that name already 3 times (422); where GitHub lists no such asset, delete it"
    )
    assert expected in str(error)


@pytest.mark.parametrize("content", [b"bundle", b"bundlE"])
def test_an_upload_by_somebody_else_meanwhile_is_compared(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], content: bytes
) -> None:
    release = github.add_release()
    add = github.add_asset

    def respond(request: Any, inner: Any = github.service.respond) -> Answer:  # noqa: ANN401 - any request
        if request.method == "POST" and not release.assets:
            add(release, BUNDLE, content)
        answer: Answer = inner(request)
        return answer

    github.service.respond = respond
    if content == b"bundle":
        assert client.publish(files).uploaded == IN_ORDER
        return
    error, _ = client.failure(files)
    assert isinstance(error, RejectedError)
    assert f"somebody else uploaded {BUNDLE} meanwhile, with other bytes" in str(error)
    assert release.contents() == {BUNDLE: content}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            message("Cannot upload assets to an immutable release.", 422),
            "takes no more assets: the release is immutable (422)",
        ),
        (
            Answer.of(422, {"errors": [{"field": "size", "code": "custom"}, {"field": "<b>", "code": "x"}, "text"]}),
            "does not take the request: size custom (422)",
        ),
        (Answer.of(422, {"errors": "none"}), "does not take the request (422)"),
        (Answer.of(422, ["none"]), "does not take the request (422)"),
        (Answer(422, b"["), "does not take the request (422)"),
        (Answer(418), "gave an answer that is not expected (418)"),
        (Answer(302, headers={"Location": "/x"}), "redirects in a way that leaves the question behind (302)"),
    ],
)
def test_whatever_is_refused_is_told_and_not_asked_again(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], answer: Answer, expected: str
) -> None:
    github.fail("upload", answer)
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    assert f"GitHub {expected}" in str(error)
    assert github.calls.count("upload") == 1


# --- answers that are none --------------------------------------------------------------------------------------------

NO_ANSWERS = [b"", b"<html>", b"[" * 100_000, b"{}", b"[1]", b'"text"', b"null", b"[null]", b'[{"id": "1"}]']


@pytest.mark.parametrize("body", NO_ANSWERS)
@pytest.mark.parametrize("call", ["tag", "assets", "upload", "create"])
def test_what_is_no_answer_of_github_is_told(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], call: str, body: bytes
) -> None:
    if call in {"assets", "upload"}:
        github.add_release()
    github.fail(call, Answer(200, body))
    error, _ = client.failure(files)
    assert isinstance(error, PublishError)
    assert "GitHub gave an answer that is not one of its API; check `api-url`" in str(error)


@pytest.mark.parametrize("body", [b"", b"{}", b'"text"', b"1", b"{", b"[" + b"{}," * 100 + b"{}]"])
def test_a_list_that_is_none_is_told(github: FakeGitHub, client: Client, files: list[ReleaseFile], body: bytes) -> None:
    github.fail("list", Answer(200, body))
    error, _ = client.failure(files)
    assert "GitHub gave an answer that is not one of its API" in str(error)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "app.whl"}, "GitHub stored {name} under the name app.whl, and it was deleted again; rename it"),
        ({"digest": f"sha256:{'0' * 64}"}, "GitHub stored {name} with other bytes, and it was deleted again; run again"),
        ({"size": 1}, "with other bytes"),
        ({"state": "starter"}, "with other bytes"),
    ],
)
def test_what_was_stored_otherwise_than_sent_is_taken_away(
    github: FakeGitHub, client: Client, files: list[ReleaseFile], change: dict[str, object], expected: str
) -> None:
    release = github.add_release()
    describe = github._describe_asset
    github._describe_asset = lambda asset: {**describe(asset), **change}  # type: ignore[method-assign] # a GitHub that errs
    error, heard = client.failure(files)
    assert isinstance(error, PublishError)
    assert expected.format(name=BUNDLE) in str(error)
    assert release.assets == []
    assert heard.uploaded == []


def test_a_download_that_fails_is_told(github: FakeGitHub, client: Client, files: list[ReleaseFile]) -> None:
    client.publish(files)
    github.tells_digests = False
    github.storage.scripted.extend([Answer(403)])
    error, _ = client.failure(files)
    assert "(403)" in str(error)
    github.storage.scripted.extend([Answer(200, bytes(10_000))])
    error, _ = client.failure(files)
    assert "GitHub sent more than" in str(error)


def test_wheel_is_last(client: Client, files: list[ReleaseFile]) -> None:
    assert client.publish(files).uploaded[-1] == WHEEL
