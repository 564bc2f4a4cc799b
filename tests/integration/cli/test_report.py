"""``hatch-sign verify --report``: what an auditor keeps, also of what was rejected."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.authority import chain_pem
from tests.unit.reporting.samples import Page
from tests.unit.witnesses.stamping_server import stamping

from .cli_project import make_project, make_wheel
from .code_signing import KEY, certify
from .schemas import validate

if TYPE_CHECKING:
    from pathlib import Path

    from .cli_project import Project

HOSTILE = '"><img src=x onerror=alert(1)>`|.bin'
CERTIFIED = """\
key = "{key}"
certificates = "chain.pem"
formats = ["cms"]
timestamp = ["{url}"]
[verify]
timestamp-roots = "tsa.pem"
[[verify.trust]]
certificate-roots = "root.pem"
subject = "{subject}"
"""
ALL = ("--report", "report.html", "--report", "report.md", "--report", "report.json")


@pytest.fixture(scope="module")
def signed_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose two artifacts are signed; nobody may change it."""
    project = make_project(tmp_path_factory.mktemp("signed"))
    make_wheel(project)
    project.add("demo-1.0.bin", b"what is released")
    project.succeed("sign", "dist")
    return project


@pytest.fixture
def signed(signed_once: Project, tmp_path: Path) -> Project:
    return signed_once.copy(tmp_path / "project")


def page(project: Project, name: str = "report.html") -> Page:
    return Page((project.folder / name).read_bytes())


# --- what is written --------------------------------------------------------------------------------------------------


def test_each_report_tells_what_was_verified_and_by_whom_it_is_trusted(signed: Project) -> None:
    ran = signed.succeed("verify", "dist", "--json", *ALL)
    assert (signed.folder / "report.json").read_text() == ran.out
    digest = hashlib.sha256(b"what is released").hexdigest()
    configured = hashlib.sha256((signed.folder / "hatch-sign.toml").read_bytes()).hexdigest()
    for text in (page(signed).text, (signed.folder / "report.md").read_text()):
        for expected in ("All 2 artifacts are trusted", digest, configured, "verify.trust[0] (public-key release.pub)"):
            assert expected in text


def test_the_document_tells_size_and_digest_by_its_schema(signed: Project) -> None:
    signed.succeed("verify", "dist", "--report", "report.json")
    document = json.loads((signed.folder / "report.json").read_text())
    validate(document, "verification")
    artifact = next(each for each in document["artifacts"] if each["name"] == "demo-1.0.bin")
    assert (artifact["size"], artifact["sha256"]) == (16, hashlib.sha256(b"what is released").hexdigest())


def test_what_is_rejected_has_its_report_too(signed: Project) -> None:
    signed.add("demo-1.0.bin", b"what was tampered with")
    assert "is rejected" in signed.fail(1, "verify", "dist", *ALL)
    text = page(signed).text
    assert "1 of 2 artifacts is rejected" in text
    assert "hash-mismatch" in text
    assert hashlib.sha256(b"what was tampered with").hexdigest() in text
    assert "**1 of 2 artifacts is rejected.** Exit code 1." in (signed.folder / "report.md").read_text()
    assert json.loads((signed.folder / "report.json").read_text())["passed"] is False


def test_the_chain_is_drawn_from_the_artifact_to_the_root_and_the_authority(project: Project) -> None:
    project.add("demo-1.0.bin", b"what is released")
    project.succeed("key", "generate", KEY, "--algorithm", "rsa-3072")
    project.succeed("key", "export-public", KEY, "-o", "codesign.pub")
    subject = certify(project.folder / "codesign.pub", project.folder)
    with stamping() as server:
        (project.folder / "tsa.pem").write_bytes(chain_pem(server.holder.root))
        text = CERTIFIED.format(key=KEY, url=server.url, subject=subject)
        (project.folder / "hatch-sign.toml").write_text(text)
        project.succeed("sign", "dist")
    project.succeed("verify", "dist", *ALL)
    words = "".join(page(project).texts)
    places = [
        words.index(title) for title in ("Artifact: ", "covered by Signature: ", "certified by Signer's certificate: ")
    ]
    places += [words.index(title) for title in ("issued by Root: ", "trusted by Trust rule: ", "Timestamp authority: ")]
    assert places == sorted(places)
    for expected in (subject, "CN=Code Signing Root", "CN=Example Timestamp Authority", "CN=Timestamping Root"):
        assert expected in words

    (project.folder / "hatch-sign.toml").write_text(text.replace("CN=Example Signer", "CN=Somebody Else"))
    project.fail(1, "verify", "dist", *ALL)
    words = "".join(page(project).texts)
    assert "not vouched for Refused: wrong-identity: " in words
    assert "trusted by Trust rule" not in words


def test_an_older_report_is_replaced(signed: Project) -> None:
    (signed.folder / "report.html").write_text("older")
    signed.succeed("verify", "dist", "--report", "report.html")
    assert page(signed).elements


def test_trust_from_the_command_line_is_told(signed: Project) -> None:
    signed.succeed("verify", "dist", "--key", "release.pub", "--report", "report.html")
    assert "--key release.pub" in page(signed).text


def test_a_hostile_name_is_text(signed: Project) -> None:
    signed.succeed("verify", "dist", "--report", "before.html")
    for path in signed.dist.glob("demo-1.0.bin*"):
        path.rename(signed.dist / path.name.replace("demo-1.0.bin", HOSTILE))
    signed.succeed("verify", "dist", "--report", "after.html", "--report", "after.md")
    assert sorted(page(signed, "after.html").elements) == sorted(page(signed, "before.html").elements)
    assert HOSTILE in page(signed, "after.html").text
    assert HOSTILE.replace("`|", r"\x60\x7c") in (signed.folder / "after.md").read_text()
    assert HOSTILE not in (signed.folder / "after.md").read_text()


def test_without_a_report_nothing_of_it_is_loaded(signed: Project) -> None:
    code = "import sys; from hatch_sign.cli import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
    loaded = signed.run("verify", "dist", program=("-c", code)).out
    assert "hatch_sign.verification.verifying" in loaded
    assert "hatch_sign.reporting" not in loaded
    assert "hatch_sign.reporting" in signed.run("verify", "dist", "--report", "report.md", program=("-c", code)).out


# --- what is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report", "report.pdf", "report.htm", ".html", "report.json.txt"])
def test_the_ending_says_what_to_write(signed: Project, name: str) -> None:
    ran = signed.run("verify", "dist", "--report", "good.md", "--report", name)
    assert ran.code == 2
    assert "does not end in .html, .md or .json" in ran.err
    assert not (signed.folder / "good.md").exists()


@pytest.mark.parametrize("name", ["dist/demo-1.0.bin.sigstore.json", "dist/new.whl.sigstore.json", "./dist/notes.md"])
def test_a_report_replaces_nothing_that_it_is_about(signed: Project, name: str) -> None:
    signed.add("notes.md", b"an artifact, too")
    before = {path: path.read_bytes() for path in signed.dist.iterdir()}
    assert "would replace an artifact or a signature; name another file" in signed.fail(
        2, "verify", "dist", "--report", name
    )
    assert {path: path.read_bytes() for path in signed.dist.iterdir()} == before


def test_a_report_among_the_artifacts_would_be_one(signed: Project) -> None:
    (signed.dist / "below").mkdir()
    for name in ("dist/report.html", "dist/below/report.md"):
        assert "would be taken for an artifact by the next run" in signed.fail(2, "verify", "dist", "--report", name)
    signed.succeed("verify", "dist/demo-1.0.bin", "--report", "dist/report.html")


@pytest.mark.parametrize(("name", "reason"), [("no/report.html", "does not exist"), ("folder.html", "is a folder")])
def test_a_report_needs_a_place(signed: Project, name: str, reason: str) -> None:
    (signed.folder / "folder.html").mkdir()
    assert reason in signed.fail(2, "verify", "dist", "--report", name)


def test_a_report_that_cannot_be_written_hides_no_verdict(signed: Project) -> None:
    small = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from hatch_sign.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    ran = signed.unmeasured().run("verify", "dist", "--report", "report.html", program=("-c", small))
    assert ran.code == 3
    assert "report.html cannot be written: File too large" in ran.err
    assert "demo-1.0.bin  sigstore  trusted" in ran.out
    assert not [path for path in signed.folder.iterdir() if "report.html" in path.name]


def test_misuse_writes_no_report(signed: Project) -> None:
    signed.fail(2, "verify", "elsewhere", "--report", "report.html")
    assert not (signed.folder / "report.html").exists()
