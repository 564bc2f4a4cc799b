"""Signatures by keys entered in a transparency log: on the command line, with a log that holds, fails or lies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ...build_services import GITHUB
from ...transparency_log import TransparencyLog, logging
from ...unit.services.https_server import Answer
from .cli_project import CONFIGURATION, Project, make_wheel

WHEEL = "demo-1.0-py3-none-any.whl"
BUNDLE = f"{WHEEL}.sigstore.json"
STATEMENT = "demo-1.0.intoto.sigstore.json"


@pytest.fixture
def log() -> Iterator[TransparencyLog]:
    with logging() as running:
        running.grow(5)
        yield running


@pytest.fixture
def release(project: Project, log: TransparencyLog) -> Project:
    """Return a project whose signatures are to be logged."""
    make_wheel(project)
    configure(project, f'log = ["{log.url}"]', root=log.trusted_root())
    return project


def configure(
    project: Project, lines: str, *, root: Mapping[str, Any] | None = None, formats: str = '"sigstore", "statement"'
) -> None:
    text = CONFIGURATION.replace('"sigstore"', formats).replace("[verify]", f"{lines}\n\n[verify]", 1)
    if root is not None:
        (project.folder / "root.json").write_text(json.dumps(root))
        text = text.replace("[verify]\n", '[verify]\ntrusted-root = "root.json"\n', 1)
    (project.folder / "hatch-sign.toml").write_text(text)


def entries(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text())["verificationMaterial"].get("tlogEntries", [])
    assert isinstance(found, list)
    return found


def test_signatures_bring_their_entries_along(release: Project, log: TransparencyLog) -> None:
    release.succeed("sign", "dist", **GITHUB)
    kinds = {name: [entry["kindVersion"]["kind"] for entry in entries(release.dist / name)] for name in (BUNDLE, STATEMENT)}
    assert kinds == {BUNDLE: ["hashedrekord"], STATEMENT: ["dsse"]}
    assert len(log.bodies) == 7
    assert release.run("verify", "dist").code == 0
    release.succeed("sign", "dist")
    assert len(log.bodies) == 7


def test_a_signature_without_an_entry_is_made_again(release: Project, log: TransparencyLog) -> None:
    configure(release, "")
    release.succeed("sign", "dist")
    assert entries(release.dist / BUNDLE) == []
    configure(release, f'log = ["{log.url}"]', root=log.trusted_root())
    error = release.fail(2, "sign", "dist")
    assert "not a signature of these bytes by this key, with an entry in a log; remove it, or give --overwrite" in error
    release.succeed("sign", "dist", "--overwrite")
    assert len(entries(release.dist / BUNDLE)) == 1


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_a_log_can_be_named_for_one_run(release: Project, log: TransparencyLog, way: str) -> None:
    configure(release, "", root=log.trusted_root())
    if way == "argument":
        release.succeed("sign", "dist", "--log", log.url)
    else:
        release.succeed("sign", "dist", HATCH_SIGN_LOG=log.url)
    assert len(entries(release.dist / BUNDLE)) == 1


def test_the_next_log_is_asked_where_one_fails(release: Project, log: TransparencyLog) -> None:
    with logging() as other:
        other.service.respond = lambda _: Answer(404)
        configure(release, f'log = ["{other.url}", "{log.url}"]', root=log.trusted_root())
        release.succeed("sign", "dist")
    assert len(entries(release.dist / BUNDLE)) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(403, b"hush-hush"), "does not take the entry (403)"),
        (Answer(201, b"{}"), "answered wrongly"),
        (Answer(201, b"{}", fault="vanish"), "no witness vouched for the signature"),
        (Answer(201, b"{}" * 9, fault="cut"), "no witness vouched for the signature"),
    ],
)
def test_without_an_entry_nothing_is_signed(release: Project, log: TransparencyLog, answer: Answer, reason: str) -> None:
    log.service.respond = lambda _: answer
    error = release.fail(3, "sign", "dist")
    assert reason in error
    assert "hush-hush" not in error
    assert release.names() == [WHEEL]


def test_a_log_that_is_not_there_signs_nothing(release: Project) -> None:
    configure(release, 'log = ["http://127.0.0.1:9"]', root=json.loads((release.folder / "root.json").read_text()))
    assert "log http://127.0.0.1:9 " in release.fail(3, "sign", "dist")
    assert release.names() == [WHEEL]


def test_a_log_that_lies_signs_nothing(release: Project, log: TransparencyLog) -> None:
    log.wrong = lambda entry: {**entry, "integratedTime": entry["integratedTime"] - 1}
    assert "the log's key did not promise the entry at that time" in release.fail(3, "sign", "dist")
    assert release.names() == [WHEEL]


def test_another_log_than_the_trusted_root_names_signs_nothing(release: Project, log: TransparencyLog) -> None:
    with logging() as other:
        configure(release, f'log = ["{log.url}"]', root=other.trusted_root())
    assert "is by a log that the trusted root does not name" in release.fail(3, "sign", "dist")
    assert release.names() == [WHEEL]


UNFIT: dict[str, tuple[str, Mapping[str, Any] | None, str]] = {
    "`log` is set without `trusted-root`": ("", None, '"sigstore"'),
    "root.json: the trusted root has no log whose entries could be checked": ("", {"tlogs": []}, '"sigstore"'),
    "have no place for entries of a log": ("", {}, '"checksums", "cms"'),
    "`log` is set with `bundle-certificate`": ("bundle-certificate = true", {}, '"sigstore"'),
}


@pytest.mark.parametrize("reason", UNFIT)
def test_what_cannot_be_logged_is_told_before_anything_is_signed(
    release: Project, log: TransparencyLog, reason: str
) -> None:
    lines, root, formats = UNFIT[reason]
    configure(release, f'log = ["{log.url}"]\n{lines}', root=root, formats=formats)
    assert reason in release.fail(2, "sign", "dist")
    assert release.names() == [WHEEL]
    assert log.service.requests == []


def test_a_trusted_root_that_is_missing_is_told_of(release: Project) -> None:
    (release.folder / "root.json").unlink()
    assert "root.json cannot be read" in release.fail(2, "sign", "dist")


def test_the_configuration_is_checked_and_shown(release: Project, log: TransparencyLog) -> None:
    assert f"logged by {log.url}" in release.succeed("config", "check").out
    shown = json.loads(release.succeed("config", "check", "--json").out)
    assert shown["signatures"][0]["log"] == [log.url]
    configure(release, 'log = ["rekor.example"]\n[contents]\nlog = ["https://rekor.example"]', root={})
    mistakes = release.run("config", "check")
    assert mistakes.code == 2
    assert "log: is wrong in its item 1, which is 'rekor.example', expected an address" in mistakes.err
    assert "contents.log: is not a known key" in mistakes.err
