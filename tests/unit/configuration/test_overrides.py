"""The environment and the command line speak of signing, and never of trust."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from hatch_sign.configuration.loading import Overrides
from hatch_sign.configuration.model import Configuration

Load = Callable[..., Configuration]
Problems = Callable[..., tuple[str, ...]]

TEXT = """\
key = "emulated:file"
certificates = "file.pem"
timestamp = ["https://file.example"]
output-directory = "file"
[verify]
timestamp-roots = "tsa.pem"
[[verify.trust]]
public-key = "release.pub"
"""

ENVIRON = {
    "HATCH_SIGN_KEY": "emulated:environment",
    "HATCH_SIGN_CERTIFICATES": "environment.pem",
    "HATCH_SIGN_FORMATS": "statement, sigstore",
    "HATCH_SIGN_TIMESTAMP": "https://environment.example/a,https://environment.example/b",
    "HATCH_SIGN_OUTPUT_DIRECTORY": "environment",
}


def test_the_environment_overrides_what_the_file_says_of_signing(load: Load) -> None:
    found = load(TEXT, environ=ENVIRON, directory=Path("/here"))
    (signature,) = found.signatures
    assert signature.key == "emulated:environment"
    assert signature.certificates == Path("/here/environment.pem")
    assert signature.formats == ("statement", "sigstore")
    assert signature.timestamp == ("https://environment.example/a", "https://environment.example/b")
    assert found.output_directory == Path("/here/environment")


def test_the_command_line_overrides_both(load: Load) -> None:
    overrides = Overrides(
        key="emulated:line",
        certificates="line.pem",
        formats=("statement",),
        timestamp=("https://line.example",),
        output_directory="/line",
    )
    found = load(TEXT, environ=ENVIRON, overrides=overrides, directory=Path("/here"))
    (signature,) = found.signatures
    assert (signature.key, signature.formats) == ("emulated:line", ("statement",))
    assert (signature.certificates, signature.timestamp) == (Path("/here/line.pem"), ("https://line.example",))
    assert found.output_directory == Path("/line")


OPTION = 'key = "emulated:a"\nbundle-certificate = true\nformats = [{}]\n'
SET = {"bundle-certificate": True}


@pytest.mark.parametrize("formats", ["'sigstore'", "'checksums'"])
def test_settings_of_formats_reach_the_formats_that_take_their_place(formats: str, load: Load) -> None:
    """They may even belong to none of the file's formats, as long as those of the command line know them."""
    line = Overrides(formats=("sigstore", "statement"))
    assert load(OPTION.format(formats), overrides=line).signatures[0].options == {"sigstore": SET, "statement": SET}
    variable = {"HATCH_SIGN_FORMATS": "statement"}
    assert load(OPTION.format(formats), environ=variable).signatures[0].options == {"statement": SET}


def test_a_setting_of_the_files_formats_alone_is_left_unused(load: Load, problems: Problems) -> None:
    line = Overrides(formats=("checksums",))
    assert load(OPTION.format("'sigstore'"), overrides=line).signatures[0].options == {}
    (found,) = problems(OPTION.format("'checksums'"), overrides=line)
    assert "is for the format sigstore or statement" in found


def test_settings_in_a_signature_table_reach_the_formats_that_take_their_place(load: Load) -> None:
    text = "[[signature]]\n" + OPTION.format("'sigstore'")
    found = load(text, overrides=Overrides(formats=("statement",)))
    assert found.signatures[0].options == {"statement": SET}


def test_a_wrong_setting_is_told_though_only_the_command_line_names_its_format(problems: Problems) -> None:
    text = OPTION.format("'checksums'").replace("true", "1")
    (found,) = problems(text, overrides=Overrides(formats=("statement",)))
    assert found == "hatch-sign.toml:2: bundle-certificate: is an integer, expected true or false"


def test_empty_variables_count_as_unset(load: Load, tmp_path: Path) -> None:
    found = load(TEXT, environ=dict.fromkeys(ENVIRON, " "))
    assert found.signatures[0].key == "emulated:file"
    assert found.output_directory == tmp_path / "file"


def test_nothing_outside_the_file_changes_what_is_trusted(load: Load) -> None:
    alone = load(TEXT)
    hostile = {
        **ENVIRON,
        "HATCH_SIGN_REQUIRE": "statement",
        "HATCH_SIGN_VERIFY": "{}",
        "HATCH_SIGN_VERIFY_REQUIRE": "statement",
        "HATCH_SIGN_VERIFY_TRUST": "attacker.pub",
        "HATCH_SIGN_TIMESTAMP_ROOTS": "attacker.pem",
        "HATCH_SIGN_TRUST": "attacker.pub",
        "HATCH_SIGN_PUBLIC_KEY": "attacker.pub",
    }
    overrides = Overrides(formats=("statement",), key="emulated:attacker")
    assert load(TEXT, environ=hostile, overrides=overrides).verify == alone.verify
    assert load(TEXT.replace("release.pub", "attacker.pub")).verify != alone.verify


def test_each_mistake_outside_the_file_names_its_place(problems: Problems) -> None:
    environ = {
        "HATCH_SIGN_KEY": "pkcs11:a?pin-value=271828",
        "HATCH_SIGN_FORMATS": "sigstor",
        "HATCH_SIGN_TIMESTAMP": "tsa.example",
    }
    found = problems(TEXT, environ=environ, overrides=Overrides(certificates=""))
    assert [problem.partition(": ")[0] for problem in found] == [
        "HATCH_SIGN_KEY",
        "--certificates",
        "HATCH_SIGN_TIMESTAMP",
        "HATCH_SIGN_FORMATS",
    ]
    assert "did you mean `sigstore`?" in found[3]
    assert "271828" not in "".join(found)


def test_mistakes_in_the_file_come_before_those_outside(problems: Problems) -> None:
    found = problems("kye = 1", environ={"HATCH_SIGN_KEY": "release"})
    assert [problem.partition(":")[0] for problem in found] == ["hatch-sign.toml", "HATCH_SIGN_KEY"]


def test_one_value_cannot_be_for_several_signatures(load: Load, problems: Problems) -> None:
    two = '[[signature]]\nname = "a"\nkey = "emulated:a"\n[[signature]]\nname = "b"\nkey = "emulated:b"\n'
    (found,) = problems(two, environ={"HATCH_SIGN_KEY": "emulated:c"})
    assert found.startswith("HATCH_SIGN_KEY: cannot be for each of 2 signatures")
    timestamped = load(two, overrides=Overrides(timestamp=("https://tsa.example",)))
    assert [signature.timestamp for signature in timestamped.signatures] == [("https://tsa.example",)] * 2
    one = '[[signature]]\nname = "a"\n'
    assert load(one, environ={"HATCH_SIGN_KEY": "emulated:c"}).signatures[0].key == "emulated:c"


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("False", False), (" ", True)])
def test_the_environment_says_yes_or_no_as_toml_does(load: Load, said: str, meant: bool) -> None:  # noqa: FBT001 - what is tested
    text = 'key = "emulated:a"\ntimestamp-optional = true\n'
    assert load(text, environ={"HATCH_SIGN_TIMESTAMP_OPTIONAL": said}).signatures[0].timestamp_optional is meant


def test_the_environment_knows_no_other_words_for_it(problems: Problems) -> None:
    (found,) = problems('key = "emulated:a"', environ={"HATCH_SIGN_TIMESTAMP_OPTIONAL": "yes"})
    assert found == "HATCH_SIGN_TIMESTAMP_OPTIONAL: is a string, expected true or false"


def test_the_command_line_can_only_allow_it(load: Load) -> None:
    allowed = Overrides.from_arguments(argparse.Namespace(command="sign", timestamp_optional=True))
    silent = Overrides.from_arguments(argparse.Namespace(command="sign", timestamp_optional=None))
    assert load('key = "emulated:a"', overrides=allowed).signatures[0].timestamp_optional
    assert load('key = "emulated:a"\ntimestamp-optional = true', overrides=silent).signatures[0].timestamp_optional


def test_only_commands_that_sign_have_overrides() -> None:
    given = {"key": "release.pub", "formats": ["sigstore"], "output_directory": None}
    sign = Overrides.from_arguments(argparse.Namespace(command="sign", **given))
    assert sign == Overrides(key="release.pub", formats=("sigstore",))
    assert Overrides.from_arguments(argparse.Namespace(command="verify", **given)) == Overrides()
    assert Overrides.from_arguments(argparse.Namespace()) == Overrides()


@pytest.mark.parametrize("formats", [[], None])
def test_formats_that_were_not_given_override_nothing(formats: list[str] | None) -> None:
    assert Overrides.from_arguments(argparse.Namespace(command="sign", formats=formats)).formats is None
