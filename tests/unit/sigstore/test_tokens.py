"""Where identity tokens come from, and what is said of those that cannot be used."""

from __future__ import annotations

import io
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign.values.errors import CustodyError, SecretRejectedError, SecretUnavailableError
from hatch_sign_sigstore.signing.diagnosis import diagnose
from hatch_sign_sigstore.signing.patience import Patience
from hatch_sign_sigstore.signing.reference import SigstoreReference
from hatch_sign_sigstore.signing.tokens import TokenSource, classify_provider

from .tokens import ISSUER, make_token

PROVIDERS = ("GITHUB_", "GITLAB_", "ACTIONS_", "CIRCLE", "BUILDKITE", "GOOGLE_")


@pytest.fixture(autouse=True)
def no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tests themselves run says nothing, and nobody sits at a terminal."""
    import os  # noqa: PLC0415 - the library for providers reads the environment of the process itself

    for name in list(os.environ):
        if name.startswith(PROVIDERS):
            monkeypatch.delenv(name)
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(sys, stream, io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def source(environ: Mapping[str, str], **settings: str) -> TokenSource:
    caller = ServiceCaller("the provider", "sigstore", classify_provider, NetworkLimits(attempts=1))
    patience = Patience(60.0, stopped=lambda: False)
    reference = SigstoreReference("sigstore", **settings)  # type: ignore[arg-type] # texts alone are given
    return TokenSource(reference, environ, caller=caller, patience=patience, oidc_url=lambda: "http://127.0.0.1:9")


def test_the_first_place_that_is_named_gives_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(make_token(sub="file") + "\n")
    environ = {name: make_token(sub=name) for name in ("MINE", "HATCH_SIGN_IDENTITY_TOKEN", "SIGSTORE_ID_TOKEN")}
    assert source(environ, token_source=f"file:{path}").fetch().identity == "file"
    assert source(environ, token_source="env:MINE").fetch().identity == "MINE"  # noqa: S106 - the name of one
    assert source(environ).fetch().identity == "HATCH_SIGN_IDENTITY_TOKEN"
    assert source({"SIGSTORE_ID_TOKEN": environ["SIGSTORE_ID_TOKEN"]}).fetch().identity == "SIGSTORE_ID_TOKEN"


def test_a_file_is_read_again_when_another_token_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(make_token(sub="first"))
    given = source({}, token_source=f"file:{path}")
    assert given.fetch().identity == "first"
    path.write_text(make_token(sub="second"))
    assert given.fetch().identity == "second"


NOW = int(time.time())
WRONG = [
    pytest.param({"exp": NOW - 60, "iat": NOW - 120, "nbf": NOW - 120}, "has expired", id="expired"),
    pytest.param({"nbf": NOW + 3600}, "is not valid now", id="early"),
    pytest.param({"iat": NOW + 3600}, "is not valid yet", id="issued early"),
    pytest.param({"aud": "somebody-else"}, "is for another audience", id="audience"),
    pytest.param({"iss": None}, "lacks a claim that Sigstore needs", id="issuer"),
]


@pytest.mark.parametrize(("claims", "problem"), WRONG)
def test_a_token_that_cannot_be_used_is_told_of_without_it(claims: Mapping[str, object], problem: str) -> None:
    token = make_token(**claims)
    with pytest.raises(SecretRejectedError) as caught:
        source({"HATCH_SIGN_IDENTITY_TOKEN": token}).fetch()
    assert f"in the environment variable HATCH_SIGN_IDENTITY_TOKEN {problem}" in caught.value.message
    assert "audience sigstore" in caught.value.remedy
    assert caught.value.__context__ is None
    shown = "".join(traceback.format_exception(caught.value))
    assert [part for part in token.split(".") if part in shown] == []


@pytest.mark.parametrize("text", ["not a token", "a.b.c"])
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SecretRejectedError, match="is no JSON Web Token"):
        source({"HATCH_SIGN_IDENTITY_TOKEN": text}).fetch()


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "it cannot be read: No such file"), (b"", "it is empty"), (b"\xff\xfe", "it holds no token")],
)
def test_a_file_without_a_token_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretUnavailableError, match=f"no identity token in the file .*token: {problem}"):
        source({"HATCH_SIGN_IDENTITY_TOKEN": make_token()}, token_source=f"file:{path}").fetch()


def test_a_variable_that_is_named_and_empty_is_not_passed_over() -> None:
    with pytest.raises(SecretUnavailableError, match="environment variable HATCH_SIGN_IDENTITY_TOKEN: it is empty"):
        source({"HATCH_SIGN_IDENTITY_TOKEN": "", "SIGSTORE_ID_TOKEN": make_token()}).fetch()


@pytest.mark.parametrize(
    ("environ", "message", "remedy"),
    [
        ({"GITHUB_ACTIONS": "true"}, "GitHub Actions gives this job no identity token", "permissions: id-token: write"),
        ({"GITLAB_CI": "true"}, "GitLab CI/CD gave this job no identity token", "id_tokens"),
    ],
)
def test_a_build_without_the_permission_is_told_how_to_get_it(environ: Mapping[str, str], message: str, remedy: str) -> None:
    with pytest.raises(SecretUnavailableError) as caught:
        source(environ).fetch()
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def test_a_provider_that_fails_is_a_failure_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIRCLECI", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CustodyError, match="the provider gave no identity token"):
        source({"CIRCLECI": "true"}).fetch()


def test_without_any_source_all_that_was_looked_for_is_listed() -> None:
    with pytest.raises(SecretUnavailableError) as caught:
        source({}).fetch()
    for name in ("token-source", "HATCH_SIGN_IDENTITY_TOKEN", "SIGSTORE_ID_TOKEN", "GitHub Actions", "terminal"):
        assert name in caught.value.message


def test_a_person_whose_browser_cannot_be_asked_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(sys, stream, Terminal())
    asking = source({})
    with pytest.raises(CustodyError, match="nobody proved in the browser who they are"):
        asking.fetch()
    with pytest.raises(SecretUnavailableError, match="nobody is sent to the browser twice in a run"):
        asking.fetch()


@pytest.mark.parametrize(
    ("environ", "status", "found"),
    [
        (
            {"HATCH_SIGN_IDENTITY_TOKEN": make_token()},
            "ok",
            f"in the environment variable HATCH_SIGN_IDENTITY_TOKEN, of {ISSUER}",
        ),
        ({"SIGSTORE_ID_TOKEN": make_token(exp=NOW - 60)}, "failure", "has expired"),
        ({"SIGSTORE_ID_TOKEN": ""}, "failure", "it is empty"),
        ({"GITHUB_ACTIONS": "true"}, "failure", "GitHub Actions gives this job no identity token"),
        ({"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}, "ok", "GitHub Actions will be asked for one"),
        ({}, "failure", "there is none, and no terminal"),
    ],
)
def test_a_diagnosis_says_where_the_token_would_come_from(environ: Mapping[str, str], status: str, found: str) -> None:
    instance, token = diagnose(SigstoreReference("sigstore"), environ)
    assert (instance.status, token.subject, token.status) == ("ok", "identity token", status)
    assert found in token.found
