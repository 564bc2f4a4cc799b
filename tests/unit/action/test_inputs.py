"""What users write into a workflow arrives as it was written, and all mistakes are told at once."""

from __future__ import annotations

import pytest

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_action.command_lines import command_lines
from hatch_sign_action.inputs import Inputs, read_inputs, without_inputs

HOSTILE = "$(touch x) `id` \"';|&<>* \\ %0A ::error::x {{x}} ${{ github.token }} \x1b[31m \u202e é"


def environ(**inputs: str) -> dict[str, str]:
    given = {"command": "sign", "files": "dist", "show_summary": "true"} | inputs
    return {f"ACTION_INPUT_{name.upper()}": value for name, value in given.items()}


def problems(**inputs: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read_inputs(environ(**inputs))
    return caught.value.problems


def test_what_is_not_given_is_empty() -> None:
    assert read_inputs(environ()) == Inputs(command="sign", files=("dist",))


def test_lists_are_read_as_lists() -> None:
    inputs = read_inputs(
        environ(
            formats="sigstore,cms\n checksums", timestamp="https://a/ \n https://b/?x=1,2", plugins="kms[aws,google]\npkcs11"
        )
    )
    assert inputs.formats == ("sigstore", "cms", "checksums")
    assert inputs.timestamp == ("https://a/", "https://b/?x=1,2")
    assert inputs.plugins == ("kms[aws,google]", "pkcs11")


def test_each_line_is_one_file_with_its_blanks_and_quotes() -> None:
    assert read_inputs(environ(files=f"\r\n  a b.whl \r\n\n{HOSTILE}\n--key=x\n")).files == ("a b.whl", HOSTILE, "--key=x")


@pytest.mark.parametrize("name", ["key", "config", "policy"])
def test_metacharacters_stay_in_their_value(name: str) -> None:
    inputs = read_inputs(environ(**{name: HOSTILE}))
    assert getattr(inputs, name) == HOSTILE
    lines = command_lines(inputs, policy=inputs.policy)
    words = [word for _, line in lines for word in line if "touch" in word]
    assert words == [f"--{name}={HOSTILE}"]


def test_no_file_is_taken_for_an_option() -> None:
    inputs = read_inputs(environ(command="verify", files="--key=mine.pem\n-x"))
    assert command_lines(inputs, policy="")[0][1] == ("verify", "--json", "--", "--key=mine.pem", "-x")


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(command="$(id)\x1b", files=" \n ", show_summary="maybe", key="a\nb")
    assert [problem.partition(":")[0] for problem in found] == ["command", "files", "show-summary", "key"]
    assert "\x1b" not in found[0]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("verify", "formats"),
        ("verify", "timestamp"),
        ("upload", "key"),
        ("upload", "require"),
        ("sign", "to"),
        ("verify", "output_directory"),
        ("check", "key"),
        ("check", "require"),
    ],
)
def test_an_input_that_the_command_would_pass_over_is_a_mistake(command: str, name: str) -> None:
    (found,) = problems(command=command, **{name: "x"})
    assert f"the command {command} does not take it" in found


def test_a_key_does_not_take_the_place_of_a_policy() -> None:
    (found,) = problems(command="verify", key="release.pub", policy="origin/main:hatch-sign.toml")
    assert found.startswith("key: the policy says whom to trust")
    assert read_inputs(environ(command="sign", key="pkcs11:x", policy="hatch-sign.toml")).key == "pkcs11:x"


def test_a_release_is_checked_in_one_folder() -> None:
    (found,) = problems(command="check", files="dist\nwheelhouse")
    assert found == "files: found several lines, expected the one folder that holds the release"


@pytest.mark.parametrize("name", ["policy", "require"])
def test_signatures_are_not_put_where_the_verification_after_them_does_not_look(name: str) -> None:
    (found,) = problems(output_directory="elsewhere", **{name: "x"})
    assert found.startswith("output-directory: ")


def test_programs_that_are_run_do_not_see_the_inputs() -> None:
    assert without_inputs({**environ(), "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            Inputs(
                "sign", ("dist",), key="pkcs11:x", formats=("cms", "sigstore"), timestamp=("https://a/",), config="c.toml"
            ),
            [
                (
                    "sign",
                    "--json",
                    "--config=c.toml",
                    "--key=pkcs11:x",
                    "--format=cms",
                    "--format=sigstore",
                    "--timestamp=https://a/",
                    "--",
                    "dist",
                )
            ],
        ),
        (
            Inputs("sign", ("dist",), key="pkcs11:x", config="c.toml", require=("cms",)),
            [
                ("sign", "--json", "--config=c.toml", "--key=pkcs11:x", "--", "dist"),
                ("verify", "--json", "--config=c.toml", "--policy=POLICY", "--require=cms", "--", "dist"),
            ],
        ),
        (
            Inputs("verify", ("dist",), key="release.pub", config="c.toml"),
            [("verify", "--json", "--config=c.toml", "--policy=POLICY", "--key=release.pub", "--", "dist")],
        ),
        (
            Inputs("check", ("dist",), config="c.toml"),
            [("release", "check", "--json", "--config=c.toml", "--policy=POLICY", "--tag=refs/tags/v1", "--", "dist")],
        ),
        (
            Inputs("upload", ("dist",), config="c.toml", to=("index", "github")),
            [
                (
                    "upload",
                    "--json",
                    "--config=c.toml",
                    "--policy=POLICY",
                    "--to=index",
                    "--to=github",
                    "--non-interactive",
                    "--",
                    "dist",
                )
            ],
        ),
    ],
    ids=["sign", "sign-and-verify", "verify", "check", "upload"],
)
def test_command_lines(inputs: Inputs, expected: list[tuple[str, ...]]) -> None:
    policy = "" if inputs.formats else "POLICY"
    assert [line for _, line in command_lines(inputs, policy=policy, tag="refs/tags/v1")] == expected


def test_what_is_signed_is_verified_where_something_is_required() -> None:
    assert [name for name, _ in command_lines(Inputs("sign", ("dist",), require=("cms",)), policy="")] == ["sign", "verify"]
    assert [name for name, _ in command_lines(Inputs("sign", ("dist",)), policy="")] == ["sign"]
