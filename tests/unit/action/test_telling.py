"""What a release manager reads: rows of the documents that the commands print, in a table that no name can break."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path
from typing import Any

import pytest

from hatch_sign_action.documents import NOTHING, Row, joined, read_document
from hatch_sign_action.summary import MOST_BYTES, encode_cell, summarize

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
]


def signature(**changes: object) -> dict[str, Any]:
    plain = {
        "artifact": "a.whl",
        "signature": "sigstore",
        "format": "sigstore",
        "verdict": "trusted",
        "detail": "",
        "member": None,
    }
    return {**plain, "sidecar": "a.whl.sigstore.json", "signer": "key x", "time": None, "warnings": [], **changes}


def verification(folder: Path, *signatures: dict[str, Any], passed: bool = True) -> dict[str, Any]:
    (folder / "a.whl").write_bytes(b"wheel")
    artifact = {"name": "a.whl", "path": str(folder / "a.whl"), "passed": passed, "signatures": [*signatures]}
    return {"schema": "hatch-sign/verification/v1", "configuration": None, "passed": passed, "artifacts": [artifact]}


def test_rows_of_a_verification(tmp_path: Path) -> None:
    (tmp_path / "a.whl.sigstore.json").touch()
    (tmp_path / "a.whl.p7s").touch()
    cms = signature(signature="cms", format="cms", sidecar="a.whl.p7s", time="2026-01-02T03:04:05+00:00")
    inside = signature(format="authenticode", member="a/x.pyd", sidecar=None)
    told = read_document(verification(tmp_path, signature(), cms, inside))
    assert told.rows[0] == Row("a.whl", hashlib.sha256(b"wheel").hexdigest(), "sigstore", "", "key x", "", "trusted", "")
    assert told.rows[1].time == "2026-01-02T03:04:05+00:00"
    assert told.rows[2].artifact == "a.whl/a/x.pyd"
    assert told.files == tuple(str(tmp_path / name) for name in ("a.whl.sigstore.json", "a.whl.p7s", "a.whl"))
    assert told.bundles == (str(tmp_path / "a.whl.sigstore.json"),)
    assert (told.count, told.problems) == (3, ())


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
    assert shown == text or not text.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_keeps_its_shape(text: str) -> None:
    row = Row(text, text, text, text, text, text, text, text)
    lines = summarize(command=text, verdict=text, rows=[row], problems=[text]).split("\n")
    assert len([line for line in lines if line.startswith("### ")]) == 1
    assert len([line for line in lines if line.startswith("- ")]) == 1
    table = [line for line in lines if line.startswith("|")]
    assert [line.count("|") for line in table] == [9, 9, 9]
    assert len([line for line in lines if line]) == 5


def test_a_summary_stays_below_what_the_runner_takes_and_says_what_it_leaves_out() -> None:
    row = Row(*["|" * 500] * 8)
    text = summarize(command="verify", verdict="trusted", rows=[row] * 1000, problems=["x"] * 250)
    assert len(text.encode()) < MOST_BYTES + 100
    shown = sum(line.startswith("| &") for line in text.split("\n"))
    assert f"{1000 - shown} more signatures are in the report." in text
    assert "- and 150 more\n" in text
