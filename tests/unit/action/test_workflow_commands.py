"""The runner believes lines of a log and of files: nothing that a file is named, or a program prints, becomes one."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from hatch_sign.values.errors import SigningError
from hatch_sign_action.workflow_commands import MOST_OF_OUTPUT, Log, is_output, list_of_paths, secrets_in, write_outputs


def logged(stream: io.StringIO) -> list[str]:
    return stream.getvalue().split("\n")[:-1]


def read_outputs(text: str) -> dict[str, str]:
    """Read a file of outputs as the runner does."""
    outputs, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, word = line.partition("<<")
        value = []
        for each in lines:
            if each == word:
                break
            value.append(each)
        outputs[name] = "\n".join(value)
    return outputs


def test_a_command_stays_one_line_whatever_it_says() -> None:
    stream = io.StringIO()
    Log(stream).command("error", "100%\r\n::set-env::x", title="a:b,c\n%")
    assert logged(stream) == ["::error title=a%3Ab%2Cc%0A%25::100%25%0D%0A::set-env::x"]


def test_annotations_escape_what_moves_a_cursor_and_count_what_the_runner_drops() -> None:
    stream = io.StringIO()
    Log(stream).annotate([f"\x1b[31m{number}\n::x::" for number in range(15)])
    lines, text = logged(stream), [f"\\x1b[31m{number}\\x0a::x::" for number in range(15)]
    assert lines[:6] == text[9:]
    assert lines[6:-1] == [f"::error title=hatch-sign::{each}" for each in text[:9]]
    assert lines[-1] == "::error title=hatch-sign::6 more, which the log has"


def test_no_line_of_a_foreign_program_is_a_command() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.foreign("::add-path::/evil\r\n")
    log.foreign("  ##[error]x")
    log.end_foreign()
    log.foreign("::again::")
    log.end_foreign()
    log.annotate(["why"])
    first, evil, other, end, second, again, close, last = logged(stream)
    words = [re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line) for line in (first, second)]
    assert [f"::{word[1]}::" for word in words if word] == [end, close]
    assert first != second, "a word that was seen would let later lines begin commands again"
    assert (evil, other, again) == ("::add-path::/evil", "  ##[error]x", "::again::")
    assert last == "::error title=hatch-sign::why"


def test_a_quiet_program_leaves_no_line() -> None:
    stream = io.StringIO()
    Log(stream).end_foreign()
    assert stream.getvalue() == ""


def test_a_log_that_lacks_a_character_has_its_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Log(stream).foreign("é")
    assert raw.getvalue().splitlines()[-1] == b"\\xe9"


def test_each_line_of_a_secret_is_masked() -> None:
    stream = io.StringIO()
    Log(stream).mask("one%\nthree\n}")
    assert set(logged(stream)) == {"::add-mask::one%25%0Athree%0A}", "::add-mask::one%25", "::add-mask::three"}


def test_secrets_are_known_by_their_names_and_by_the_key_that_names_one() -> None:
    environ = {
        "HATCH_SIGN_PIN": "12345",
        "MY_API_TOKEN": "tok-1",
        "AWS_SECRET_ACCESS_KEY": "aws-1",
        "TWINE_PASSWORD": "pass",
        "SPINNING": "visible",
        "PINNED_VERSION": "1.2.3",
        "A_TOKEN": "abc",
        "THE_DOOR": "42",
    }
    assert secrets_in(environ, key="pkcs11:token=x?module-path=/m.so&pin-source=env:THE_DOOR") == (
        "12345",
        "42",
        "aws-1",
        "pass",
        "tok-1",
    )
    assert "42" not in secrets_in(environ, key="pkcs11:token=x?pin-source=file:THE_DOOR")


def test_outputs_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "output"
    outputs = {"signatures": "a\nb\nEOF\nverdict=trusted\nverdict<<EOF", "verdict": "rejected", "report": ""}
    write_outputs(path, outputs)
    assert read_outputs(path.read_text(encoding="utf-8")) == outputs


def test_a_list_of_paths_holds_as_many_as_it_was_given() -> None:
    assert list_of_paths(["dist/a b.sigstore.json", "dist/é.p7s"]) == "dist/a b.sigstore.json\ndist/é.p7s"


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x0bb", "a\u2028b", "a\x1b[0m"])
def test_a_name_that_would_read_as_two_is_refused(name: str) -> None:
    with pytest.raises(SigningError, match="a name that no output can hold"):
        list_of_paths([name])


def test_an_output_holds_less_than_a_mebibyte_as_github_counts() -> None:
    assert is_output("x" * (MOST_OF_OUTPUT // 2 - 1))
    assert not is_output("x" * (MOST_OF_OUTPUT // 2))
    assert is_output("\U0001f40d" * (MOST_OF_OUTPUT // 4 - 1) + "\udc80")
    assert not is_output("\U0001f40d" * (MOST_OF_OUTPUT // 4))
