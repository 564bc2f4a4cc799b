"""The table ``contents``: what it takes from the signature above, and what is said of mistakes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.contents import default_contents
from hatch_sign.configuration.model import ContentsSettings, SignatureSettings
from hatch_sign.contract import Format
from hatch_sign.registry import Registry
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .conftest import Load

URL = "https://tsa.example/a"
ABOVE = f'key = "emulated:a"\ncertificates = "a.pem"\ntimestamp = ["{URL}"]\ntimestamp-optional = true\n'


class WithPrograms(Registry):
    """What is installed, and a format with settings that writes into programs."""

    def format(self, name: str) -> Format:
        return self.formats()[name] if name == "programs" else super().format(name)

    def formats(self) -> Mapping[str, Format]:
        options = {"programs-title": str}
        programs = Format("programs", "embedded", "", verifier=Registry, producer=Registry, options=options)  # type: ignore[arg-type] # never called
        return {**super().formats(), "programs": programs}


@pytest.fixture
def contents(load: Load) -> Callable[[str], ContentsSettings]:
    def read(text: str) -> ContentsSettings:
        found = load(text.replace("[contents]", '[contents]\nformats = ["programs"]'), plugins=WithPrograms())
        assert found.contents is not None
        return found.contents

    return read


def test_it_takes_key_certificates_and_authorities_from_above(
    contents: Callable[[str], ContentsSettings], tmp_path: Path
) -> None:
    found = contents(f"{ABOVE}[contents]\n")
    assert (found.key, found.certificates) == ("emulated:a", tmp_path / "a.pem")
    assert (found.timestamp, found.timestamp_optional) == ((URL,), True)
    assert (found.exclude, found.replace_signatures) == ((), False)


def test_another_key_has_certificates_of_its_own(contents: Callable[[str], ContentsSettings], tmp_path: Path) -> None:
    found = contents(f'{ABOVE}[contents]\nkey = "emulated:b"\n')
    assert (found.key, found.certificates, found.timestamp) == ("emulated:b", None, (URL,))
    found = contents(f'{ABOVE}[contents]\nkey = "emulated:b"\ncertificates = "b.pem"\ntimestamp-optional = false\n')
    assert (found.certificates, found.timestamp_optional) == (tmp_path / "b.pem", False)


def test_the_settings_of_its_formats_stand_in_it(contents: Callable[[str], ContentsSettings]) -> None:
    text = f'{ABOVE}[contents]\nprograms-title = "Example"\nexclude = ["x.dll"]\nreplace-signatures = true\n'
    found = contents(text)
    assert found.options == {"programs": {"programs-title": "Example"}}
    assert (found.exclude, found.replace_signatures) == (("x.dll",), True)
    assert found.signature == SignatureSettings(
        None,
        "emulated:a",
        ("programs",),
        found.certificates,
        timestamp=(URL,),
        timestamp_optional=True,
        options=found.options,
    )


def test_the_settings_of_a_format_come_from_above_unless_it_has_its_own(load: Load) -> None:
    above = f'{ABOVE}formats = ["sigstore", "programs"]\nprograms-title = "Above"\n[contents]\n'

    def options(text: str) -> object:
        found = load(above + text, plugins=WithPrograms())
        assert found.contents is not None
        return found.contents.options

    assert options('formats = ["programs"]') == {"programs": {"programs-title": "Above"}}
    assert options('formats = ["programs"]\nprograms-title = "Own"') == {"programs": {"programs-title": "Own"}}


def test_what_is_signed_inside_is_required_unless_something_else_is(load: Load) -> None:
    text = f'{ABOVE}[contents]\nformats = ["programs"]\n'
    assert load(text, plugins=WithPrograms()).verify.require == ("sigstore", "programs")
    assert load(f'{text}[verify]\nrequire = ["sigstore"]', plugins=WithPrograms()).verify.require == ("sigstore",)
    assert load(ABOVE, plugins=WithPrograms()).verify.require == ("sigstore",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("programs-title = 1", "contents.programs-title: is an integer, expected a string"),
        ("programs-titel = 'x'", "contents.programs-titel: is not a known key"),
        ("bundle-certificate = true", "contents.bundle-certificate: is for the format sigstore"),
        ("exclude = '*.dll'", "contents.exclude: is a string, expected an array"),
        ("replace-signatures = 'yes'", "contents.replace-signatures: is a string, expected true or false"),
        ("timestamp = ['ftp://tsa.example']", "contents.timestamp: is wrong in its item 1"),
        ("name = 'inside'", "contents.name: is not a known key"),
        ("output-directory = 'x'", "contents.output-directory: is not a known key"),
    ],
)
def test_names_mistakes(text: str, problem: str, problems: Callable[..., tuple[str, ...]]) -> None:
    (found,) = problems(f'{ABOVE}[contents]\nformats = ["programs"]\n{text}\n', plugins=WithPrograms())
    assert problem in found


@pytest.mark.parametrize(
    ("inside", "hint"),
    [
        ('[contents]\nformats = ["programs"]\n', "; name it there, or put this in [contents]"),
        ('[contents]\nformats = ["authenticode"]\n', ""),
        ("", ""),
    ],
)
def test_a_setting_outside_may_be_meant_for_what_is_inside(
    inside: str, hint: str, problems: Callable[..., tuple[str, ...]]
) -> None:
    found = problems(f'{ABOVE}programs-title = "Example"\n{inside}', plugins=WithPrograms())
    assert found[0].endswith(f"programs-title: is for the format programs, which `formats` does not name{hint}")


@pytest.mark.parametrize(
    ("path", "is_covered"),
    [
        ("a.pyd", True),
        ("deep/in/A.DLL", True),
        ("a.so", False),
        ("vendor/a.dll", False),
        ("vendor/sub/a.dll", False),
        ("msvcp140-1a2b.dll", False),
        ("libs/MSVCP140.dll", False),
        ("dll", False),
    ],
)
def test_patterns_match_names_and_paths(path: str, is_covered: bool) -> None:  # noqa: FBT001 - a parameter
    assert ContentsSettings(exclude=("vendor/*", "msvcp140*.dll")).covers(path) == is_covered


def test_without_a_table_one_signature_says_it_all() -> None:
    one = SignatureSettings(None, "emulated:a", options={"sigstore": {"x": 1}, "authenticode": {"y": 2}})
    assert default_contents([one]).options == {"authenticode": {"y": 2}}
    assert default_contents([]).signature is None
    with pytest.raises(ConfigurationError, match="it is not clear by which key"):
        default_contents([one, SignatureSettings("two", "emulated:b")])
