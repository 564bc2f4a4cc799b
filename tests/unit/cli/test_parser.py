"""What the command line says of arguments that it does not know, which may be secrets that were meant for another option."""

from __future__ import annotations

import pytest

from hatch_sign.cli.commands import build_parser

SECRET = "pypi-AgEIcHlwaS5vcmc"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([f"--pass={SECRET}"], "--pass"),
        (["--passwor", SECRET], "--passwor"),
        (["--token", SECRET, f"-x{SECRET}"], "--token -x"),
    ],
)
def test_the_value_of_an_unknown_option_is_not_repeated(
    capsys: pytest.CaptureFixture[str], arguments: list[str], shown: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser(["verify"]).parse_args(["verify", "dist", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.endswith(f"hatch-sign: error: unrecognized arguments: {shown}\n")
    assert SECRET not in said


def test_an_argument_too_many_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser(["plugins"]).parse_args(["plugins", "surplus"])
    assert capsys.readouterr().err.endswith("unrecognized arguments: surplus\n")
