"""RECORD as build backends write it and as an attacker may, and written back with as few changes as can be."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.archives.record import Content, parse_record
from hatch_sign.values.errors import MalformedError

from .wheels import RECORD, hashed

DATA = b"content"
GOOD = hashed(DATA)
FILES = ("a.py", "b.dll", RECORD)


def line(path: str, digest: str = GOOD, size: object = len(DATA), end: str = "\n") -> str:
    return f"{path},{digest},{size}{end}"


def parse(text: str, files: tuple[str, ...] = FILES) -> object:
    return parse_record(text.encode(), name=RECORD, files=files)


OWN = f"{RECORD},,\n"
WHOLE = line("a.py") + line("b.dll") + OWN


def test_reads_what_it_says_of_each_file() -> None:
    record = parse_record(
        (line("a.py", hashed(DATA, "sha512"), "") + line('"b.dll"') + OWN).encode(), name=RECORD, files=FILES
    )
    contents = record.contents()
    assert {path: (content.hash, content.size) for path, content in contents.items()} == {
        "a.py": ("sha512", None),
        "b.dll": ("sha256", 7),
    }
    assert hashed(DATA).endswith("=" * 0), "no padding"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_changed_rows_are_written_anew(end: str) -> None:
    text = WHOLE.replace("\n", end).replace("b.dll", '"b.dll"').removesuffix(end)
    record = parse_record(text.encode(), name=RECORD, files=FILES)
    assert record.encode() == text.encode()
    changed = record.with_contents({"b.dll": Content("sha256", bytes(32), 99)})
    before, after = text.split(end), changed.encode().decode().split(end)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    assert after[1] == f'"b.dll",sha256={"A" * 43},99'


def test_a_size_that_was_left_out_stays_out_and_quotes_stay() -> None:
    record = parse_record((line("a.py", f'"{GOOD}"', '""') + line("b.dll") + OWN).encode(), name=RECORD, files=FILES)
    changed = record.with_contents({"a.py": Content("sha256", bytes(32), 99)})
    assert changed.encode().decode().splitlines()[0] == f'a.py,"sha256={"A" * 43}",""'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it leaves out a.py"),
        (line("a.py") + OWN, "it leaves out b.dll"),
        (WHOLE + line("a.py"), "it lists a.py twice"),
        (WHOLE + line('"a.py"'), "it lists a.py twice"),
        (WHOLE + line("c.py"), "it lists c.py, which is not in the wheel"),
        (WHOLE + line("../a.py"), r"it lists \.\./a.py, which is not in the wheel"),
        (WHOLE + "\n", "line 4 is not a path, a hash and a size"),
        (WHOLE.replace(",", ";"), "line 1 is not a path"),
        (line("a.py").replace("\n", ",\n") + line("b.dll") + OWN, "line 1 is not a path"),
        (line('"a.py'), "line 1 is not a path"),
        (line('a"b.py'), "line 1 is not a path"),
        (line("a.py") + "b.dll,,\n" + OWN, "its hash of b.dll is none of sha256, sha384, sha512"),
        (line("a.py", "md5=XUFAKrxLKna5cZ2REBfFkg") + line("b.dll") + OWN, "its hash of a.py is none of"),
        (line("a.py", GOOD + "=") + line("b.dll") + OWN, "its hash of a.py is none of"),
        (line("a.py", GOOD[:-1] + "_") + line("b.dll") + OWN, "its hash of a.py is none of"),
        (line("a.py", GOOD.replace("sha256", "sha512")) + line("b.dll") + OWN, "its hash of a.py is none of"),
        (line("a.py", size="07") + line("b.dll") + OWN, "its size of a.py is no number"),
        (line("a.py", size="-1") + line("b.dll") + OWN, "its size of a.py is no number"),
        (line("a.py", size="\u0667") + line("b.dll") + OWN, "its size of a.py is no number"),
        (line("a.py", size="9" * 5000) + line("b.dll") + OWN, "its size of a.py is no number"),
        (line("a.py") + line("b.dll") + line(RECORD), "it gives a digest of example_app-1.0.dist-info/RECORD"),
        ("\ufeff" + WHOLE, "which is not in the wheel"),
    ],
)
def test_refuses(text: str, reason: str) -> None:
    parse(WHOLE)
    with pytest.raises(MalformedError, match=f"^the RECORD of the wheel is wrong: .*{reason}"):
        parse(text)


def test_refuses_what_is_not_utf_8() -> None:
    with pytest.raises(MalformedError, match="it is not UTF-8"):
        parse_record(WHOLE.encode() + b"\xff", name=RECORD, files=FILES)


NAMES = st.lists(
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20), min_size=1, max_size=8, unique=True
)


@given(NAMES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_agrees_with_the_standard_library(names: list[str], quoting: int) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n", quoting=quoting)  # type: ignore[arg-type] # one of its constants
    rows.writerows((name, GOOD, len(DATA)) for name in names)
    record = parse_record(text.getvalue().encode(), name=RECORD, files=names)
    assert [row.path for row in record.rows] == names
    changed = record.with_contents({names[0]: Content("sha256", bytes(32), 3)})
    assert [row[0] for row in csv.reader(io.StringIO(changed.encode().decode()))] == names


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'"' + b"a" * 1_000_000, "line 1 is not a path, a hash and a size"),
        (OWN.encode() * 50_000, "it lists .*/RECORD twice"),
        ("".join(line(str(number)) for number in range(15_000)).encode(), "it lists 0, which is not in the wheel"),
    ],
    ids=["a field without end", "one row again and again", "many strangers"],
)
def test_what_is_wrong_is_refused_in_little_memory(data: bytes, reason: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match=reason):
            parse_record(data, name=RECORD, files=FILES)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(data)
    finally:
        tracemalloc.stop()
