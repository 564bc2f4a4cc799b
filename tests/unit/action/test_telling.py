"""What a release manager reads: rows of the documents that the commands print, in a table that no name can break."""

from __future__ import annotations

import hashlib
import html
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from hatch_sign.values.display import display
from hatch_sign_action.documents import NOTHING, Row, Told, joined, read_document
from hatch_sign_action.running import Result, tell
from hatch_sign_action.summary import MOST_BYTES, encode_cell, summarize
from hatch_sign_action.workflow_commands import Log

HEADERS = ["Artifact", "SHA-256", "Format", "Key", "Signer", "Certificate", "Timestamp", "Verdict", "Detail"]
HOSTILE = [
    "a|b",
    "a\n| x | y |",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![](https://evil.example/x.png)",
    "`code` **b** _i_ ~~s~~",
    "https://evil.example www.evil.example me@evil.example @team #1 :tada:",
    "\\| &#124; &lt;",
    "</td></tr></table># heading",
    "\x1b[31m\u202eexe.whl",
    "--- ---",
    "1) one",
    "- one",
    "===",
    "     code",
    "> one",
    "[ ] one",
]


def signature(*files: Path, **changes: object) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "artifact": "a.whl",
        "signature": "sigstore",
        "format": "sigstore",
        "verdict": "trusted",
        "detail": "",
        "member": None,
    }
    plain |= {"sidecar": "a.whl.sigstore.json", "signer": "key x", "time": None, "warnings": []}
    return {**plain, "files": [*map(str, files)], "certificate": None, **changes}


def verification(folder: Path, *signatures: dict[str, Any], passed: bool = True) -> dict[str, Any]:
    (folder / "a.whl").write_bytes(b"wheel")
    artifact = {"name": "a.whl", "path": str(folder / "a.whl"), "passed": passed, "signatures": [*signatures]}
    return {"schema": "hatch-sign/verification/v1", "configuration": None, "passed": passed, "artifacts": [artifact]}


def test_rows_of_a_verification(tmp_path: Path) -> None:
    bundle, elsewhere = tmp_path / "a.whl.sigstore.json", tmp_path / "signatures" / "a.whl.p7s"
    elsewhere.parent.mkdir()
    bundle.touch()
    elsewhere.touch()
    certificate = {"subject": "CN=Example", "ends": "2027-01-02T03:04:05+00:00"}
    time = "2026-01-02T03:04:05+00:00"
    cms = signature(elsewhere, signature="cms", format="cms", sidecar="a.whl.p7s", time=time, certificate=certificate)
    inside = signature(tmp_path / "a.whl", format="authenticode", member="a/x.pyd", sidecar=None)
    told = read_document(verification(tmp_path, signature(bundle), cms, inside))
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert told.rows[0] == Row("a.whl", digest, "sigstore", "", "key x", "", "", "trusted", "")
    assert (told.rows[1].certificate, told.rows[1].time) == ("CN=Example, until 2027-01-02", time)
    assert told.rows[2].artifact == "a.whl/a/x.pyd"
    assert told.files == (str(bundle), str(elsewhere), str(tmp_path / "a.whl"))
    assert told.bundles == (str(bundle),)
    assert (told.count, told.problems) == (3, ())


def test_a_certificate_whose_end_cannot_be_read_is_told_with_its_subject(tmp_path: Path) -> None:
    certificate = {"subject": "CN=Example", "ends": None}
    (row,) = read_document(verification(tmp_path, signature(certificate=certificate))).rows
    assert row.certificate == "CN=Example, until an unknown day"


def test_the_digest_is_that_of_the_bytes_that_were_verified_where_it_is_told(tmp_path: Path) -> None:
    document = verification(tmp_path, signature())
    document["artifacts"][0] |= {"size": 3, "sha256": "ab" * 32}
    assert read_document(document).rows[0].sha256 == "ab" * 32


def test_what_is_not_there_is_neither_counted_nor_listed(tmp_path: Path) -> None:
    unsigned = signature(verdict="unsigned", sidecar=None, signer=None, detail="no signature found")
    told = read_document(verification(tmp_path, unsigned, passed=False))
    assert (told.count, told.files) == (0, ())
    assert told.problems == ("a.whl is rejected: sigstore: unsigned (no signature found)",)


def test_a_rejected_artifact_without_a_reason_of_its_own_is_a_problem_still(tmp_path: Path) -> None:
    assert read_document(verification(tmp_path, passed=False)).problems == ("a.whl is rejected: nothing vouches for it",)


def test_what_keeps_a_release_is_told_check_by_check(tmp_path: Path) -> None:
    checks = [
        {"status": "ok", "subject": "tag", "found": "v1.0", "expected": "", "remedy": ""},
        {"status": "warning", "subject": "lasting", "found": "ends soon", "expected": "", "remedy": "renew it"},
        {"status": "failure", "subject": "tree", "found": "a.py changed", "expected": "a clean tree", "remedy": "commit it"},
        {"status": "failure", "subject": "tree", "found": "and 3 more", "expected": "", "remedy": ""},
    ]
    document = verification(tmp_path, signature(verdict="untrusted"), passed=False)
    told = read_document({**document, "schema": "hatch-sign/release-check/v1", "checks": checks})
    assert told.problems == ("tree: a.py changed, expected a clean tree; commit it", "tree: and 3 more")
    assert [row.verdict for row in told.rows] == ["untrusted"]


def test_rows_of_a_signing_know_the_key_and_where_it_lives(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"wheel")
    bundle = tmp_path / "out" / "a.whl.sigstore.json"
    bundle.parent.mkdir()
    bundle.touch()
    planned = {
        "artifacts": ["a.whl"],
        "format": "sigstore",
        "key": "awskms:///alias/x",
        "file": str(bundle),
        "contents": False,
    }
    lost = {**planned, "format": "cms", "file": str(tmp_path / "a.whl.p7s")}
    document = {
        "schema": "hatch-sign/signing/v1",
        "release": None,
        "artifacts": [{"name": "a.whl", "path": str(tmp_path / "a.whl")}],
        "files": [planned, lost],
        "signatures": [signature(verdict="consistent")],
        "errors": ["the cms signature failed"],
    }
    told = read_document(document)
    assert told.rows[0].key == "awskms:///alias/x (AWS KMS)"
    assert told.rows[0].sha256 == hashlib.sha256(b"wheel").hexdigest()
    assert told.files == (str(bundle),), "what was planned and not written is not there"
    assert told.problems == ("the cms signature failed",)
    verified = read_document(verification(tmp_path, signature()))
    assert [(row.key, row.verdict) for row in joined(told, verified)] == [("awskms:///alias/x (AWS KMS)", "trusted")]
    assert joined(told, NOTHING) == told.rows


def test_a_list_that_no_output_holds_is_left_out_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = tuple(f"/{'x' * 200}/{number}.p7s" for number in range(4000))
    result = Result(0, "trusted", told=Told((), (*long, "/a.sigstore.json"), ()), report="/report.json")
    assert tell(result, {"GITHUB_OUTPUT": str(tmp_path / "output")}, Log(sys.stdout), command="verify", show=True) == 0
    outputs = re.findall(r"^(\S+)<<(\w+)\n(.*)\n\2$", (tmp_path / "output").read_text(), re.MULTILINE)
    assert {name: value for name, _, value in outputs} == {
        "signatures": "",
        "bundle-paths": "/a.sigstore.json",
        "verdict": "trusted",
        "count": "0",
        "report": "/report.json",
    }
    expected = "::warning title=hatch-sign::the output signatures is empty: it would be larger than 1 MiB"
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(expected)] != []


def test_an_error_is_told_with_every_mistake_that_it_lists() -> None:
    told = read_document({"schema": "hatch-sign/error/v1", "error": "wrong", "problems": ["a", "b"], "exit-code": 2})
    assert (told.problems, told.count) == (("wrong", "a", "b"), 0)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_text_and_nothing_else(text: str) -> None:
    cell = encode_cell(text)
    assert not re.search(r"[^A-Za-z0-9 \-/(),=;&#]", cell)
    assert not re.search(r"&(?!#\d+;)|#(?!\d+;)", cell), "every & and # begins or belongs to an entity"
    assert not re.search(r"www\.|://|@", cell)
    shown = html.unescape(cell)
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert shown == text.strip() or not text.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_keeps_its_shape(text: str) -> None:
    row = Row(*[text] * 9)
    lines = summarize(command=text, verdict=text, rows=[row], problems=[text]).split("\n")
    assert len([line for line in lines if line.startswith("### ")]) == 1
    assert len([line for line in lines if line.startswith("- ")]) == 1
    table = [line for line in lines if line.startswith("|")]
    assert [line.count("|") for line in table] == [10, 10, 10]
    assert len([line for line in lines if line]) == 5


@pytest.mark.parametrize("text", HOSTILE)
def test_rendered_it_is_a_heading_a_list_and_a_table_of_text(text: str) -> None:
    summary = summarize(command=text, verdict=text, rows=[Row(*[text] * 9)], problems=[text])
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(summary)
    tags = {token.tag for token in tokens if token.tag}
    assert tags == {"h3", "ul", "li", "p", "table", "thead", "tbody", "tr", "th", "td"}
    inline = [token.children or [] for token in tokens if token.type == "inline"]
    assert {child.type for children in inline for child in children} == {"text"}
    shown = display(text).strip()
    words = ["".join(child.content for child in children) for children in inline]
    assert words == [f"hatch-sign {shown}: {shown}", shown, *HEADERS, *[shown] * 9]


def test_a_summary_stays_below_what_the_runner_takes_and_says_what_it_leaves_out() -> None:
    row = Row(*["|" * 500] * 9)
    text = summarize(command="verify", verdict="trusted", rows=[row] * 1000, problems=["x"] * 250)
    assert len(text.encode()) < MOST_BYTES + 100
    shown = sum(line.startswith("| &") for line in text.split("\n"))
    assert f"{1000 - shown} more signatures are in the report." in text
    assert "- and 150 more\n" in text
