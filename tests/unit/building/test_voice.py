"""The voice of builds whose front end lends none."""

from __future__ import annotations

import pytest

from hatch_sign.building.voice import PlainVoice


def test_all_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    voice = PlainVoice({})
    voice.note("done")
    voice.warn("careful")
    voice.detail("first")
    with pytest.raises(SystemExit) as stopped:
        voice.abort("no", 3)
    assert stopped.value.code == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "hatch-sign: done\nhatch-sign: warning: careful\nhatch-sign:   first\nhatch-sign: error: no\n"


def test_what_is_said_once_is_not_said_by_the_next_voice(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("covers a whole release", "covers a whole release", "another"):
        PlainVoice({}).note_once(f"only here: {text}")
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(("environ", "lines"), [({}, 0), ({"HATCH_SIGN_DEBUG": "1"}, 1)])
def test_what_helps_to_find_mistakes_is_asked_for(
    environ: dict[str, str], lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    PlainVoice(environ).debug("removed")
    assert len(capsys.readouterr().err.splitlines()) == lines
