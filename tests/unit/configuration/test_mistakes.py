"""Every mistake is found in one go, and told with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.model import Configuration

if TYPE_CHECKING:
    from hatch_sign.registry import Registry

Load = Callable[..., Configuration]
Problems = Callable[..., tuple[str, ...]]

FIVE = """\
[tool.hatch-sign]
key = "emulated:release"
formatts = ["sigstore"]
timestamp = "https://tsa.example"

[tool.hatch-sign.verify]
require = []

[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
not-after = "2027-12-31"

[[tool.hatch-sign.verify.trust]]
formats = ["sigstore"]
"""


def test_five_mistakes_are_told_together_each_with_its_line(problems: Problems, core_alone: Registry) -> None:
    assert problems(FIVE, name="pyproject.toml", plugins=core_alone) == (
        "pyproject.toml:3: formatts: is not a known key; did you mean `formats`?",
        "pyproject.toml:4: timestamp: is a string, expected an array of strings",
        "pyproject.toml:7: verify.require: is empty, expected at least one",
        "pyproject.toml:11: verify.trust[0].not-after: is a string, expected a date, such as 2027-12-31, without quotes",
        "pyproject.toml:13: verify.trust[1]: says nothing of whom it trusts, expected `certificate-roots` or `public-key`",
    )


def test_the_same_file_with_its_mistakes_mended_loads(load: Load) -> None:
    mended = (
        FIVE.replace("formatts", "formats")
        .replace('"https://tsa.example"', '["https://tsa.example"]')
        .replace("[]", '["sigstore"]')
        .replace('"2027-12-31"', "2027-12-31")
        .replace('formats = ["sigstore"]\n', 'public-key = "other.pub"\n', 2)
    )
    mended = mended.replace('public-key = "other.pub"\ntimestamp', "timestamp")
    assert len(load(mended, name="pyproject.toml").verify.trust) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("key = 3", "key: is an integer, expected a string"),
        ('key = "release"', "key: a key reference is not of the form SCHEME:PATH"),
        ("certificates = ''", "certificates: is empty"),
        (r'certificates = "a\u0000b"', "certificates: holds a control character"),
        ("formats = []", "formats: is empty, expected at least one"),
        ('formats = ["sigstore", "sigstore"]', "formats: holds 'sigstore' twice"),
        ('formats = ["sigstore", 3]', "formats: is wrong in its item 2, which is an integer, expected a string"),
        ('formats = ["statment"]', "did you mean `statement`?"),
        ('formats = ["pep740"]', "install hatch-sign-sigstore"),
        ('timestamp = ["tsa.example"]', "is 'tsa.example', expected an address that begins with https://"),
        ('timestamp = ["ftp://tsa.example"]', "expected an address"),
        ('timestamp = ["https://["]', "is not an address"),
        ("observers = 'audit'", "observers: is a string, expected an array of strings"),
        (
            'minimum-protection = "hardware"',
            "is 'hardware', expected one of software, self-asserted, provider-asserted, attested",
        ),
        ("minimum-protection = 2", "minimum-protection: is an integer, expected one of"),
        ("verify = 1", "verify: is an integer, expected a table"),
        ("contents = []", "contents: is an array, expected a table"),
        ("signature = 1", "signature: is an integer, expected an array"),
        ("[signature]\nname = 'a'", "signature: is a table, expected an array of them: write [[ and ]] around its name"),
        ("signature = []", "signature: is empty; leave it out"),
        ("signature = [1]", "signature[0]: is an integer, expected a table; write it as [[signature]]"),
        ("[[verify]]", "verify: is an array, expected a table"),
        ("timestamp = ['http://127.0.0.1:99999/']", "is 'http://127.0.0.1:99999/', which is not an address"),
        ("timestamp = ['http://127.0.0.1:0/']", "is 'http://127.0.0.1:0/', expected an address"),
        ("timestamp = ['http://127.0.0.1:x/']", "is 'http://127.0.0.1:x/', which is not an address"),
        ("timestamp = ['http://127.0.0.1:1 /']", "holds white space or a control character"),
        ("timestamp = ['https://tsa.example/ ']", "holds white space or a control character"),
        ("timestamp = ['https://tsa.example/\u0085']", "holds white space or a control character"),
        ("timestamp = ['https://tsa.\u2028example/']", "holds white space or a control character"),
        ("timestamp-optional = 'yes'", "timestamp-optional: is a string, expected true or false"),
        ("timestamp-optonal = true", "timestamp-optonal: is not a known key; did you mean `timestamp-optional`?"),
        ("bundle-certificate = 1", "bundle-certificate: is an integer, expected true or false"),
        (
            'formats = ["sigstore", "statement"]\nbundle-certificate = 1',
            "bundle-certificate: is an integer, expected true or false",
        ),
        (
            'formats = ["checksums"]\nbundle-certificate = true',
            "is for the format sigstore or statement, which `formats` does not name",
        ),
        ("[verify]\nrequired = ['sigstore']", "verify.required: is not a known key; did you mean `require`?"),
        ("[verify]\nrequire = ['sigstor']", "verify.require[0]: 'sigstor' is neither a format nor the name of a signature"),
        ("[verify]\nrequire = ['pep740']", "install hatch-sign-sigstore"),
        ("[verify]\nsignatures = ['A']", "is 'A', expected at most 64 lower-case letters"),
        ("[verify]\nsignatures = [1]", "which is an integer, expected a string"),
        ("[verify]\ntimestamp-roots = 1", "verify.timestamp-roots: is an integer, expected a string"),
        ("[verify]\ntrust = ['x']", "verify.trust[0]: is a string, expected a table; write it as [[verify.trust]]"),
        ("[[verify.trust]]\npublic-kye = 'x'", "verify.trust[0].public-kye: is not a known key; did you mean `public-key`?"),
        ("[[verify.trust]]\npublic-key = 'x'\nsubjct = 'y'", "verify.trust[0].subjct: is not a known key"),
        ("[[verify.trust]]\npublic-key = ''", "verify.trust[0].public-key: is empty"),
        ("[[verify.trust]]\npublic-key = 1", "verify.trust[0].public-key: is an integer, expected a string"),
        (
            "[[verify.trust]]\npublic-key = 'x'\nminimum-rsa-bits = true",
            "minimum-rsa-bits: is true or false, expected an integer",
        ),
        ("[[verify.trust]]\npublic-key = 'x'\ncertificate-roots = 'y'", "has both `certificate-roots` and `public-key`"),
        ("[[verify.trust]]\nidentity = 'x'\nissuer = 'y'", "install hatch-sign-sigstore"),
        ("[[verify.trust]]\nidentity-pattern = 'x'", "install hatch-sign-sigstore"),
        ("[[verify.trust]]\npublic-key = 'x'\nformats = ['pep740']", "verify.trust[0].formats[0]: no format named 'pep740'"),
        ("[[verify.trust]]\npublic-key = 'x'\nnot-after = 2027-12-31T00:00:00", "is a time without an offset"),
        ("[[verify.trust]]\npublic-key = 'x'\nnot-after = 10:00:00", "not-after: is a time, expected a date"),
        (
            "[[verify.trust]]\npublic-key = 'x'\nnot-before = 2027-01-02\nnot-after = 2027-01-01",
            "verify.trust[0].not-after: is before `not-before`",
        ),
    ],
)
def test_names(text: str, problem: str, problems: Problems, core_alone: Registry) -> None:
    """Each mistake is the only thing that is told of its file, and stands on the line of what is wrong."""
    (found,) = problems(text, plugins=core_alone)
    assert problem in found
    assert found.startswith("hatch-sign.toml:")


@pytest.mark.parametrize(
    "reference",
    ["pkcs11:token=release?pin-value=271828", "pkcs11:token=release?PIN%2Dvalue=271828", "https://me:271828@host/key"],
)
@pytest.mark.parametrize(
    "text", ['key = "{}"', '[contents]\nkey = "{}"\nformats = ["sigstore"]', '[[signature]]\nkey = "{}"']
)
def test_a_secret_in_a_reference_is_refused_and_never_repeated(reference: str, text: str, problems: Problems) -> None:
    found = "\n".join(problems(text.format(reference)))
    assert "where logs and process lists show it" in found
    assert "271828" not in found


def test_a_password_in_an_address_is_refused_and_never_repeated(problems: Problems) -> None:
    (found,) = problems('timestamp = ["https://me:271828@tsa.example"]')
    assert "holds a password" in found
    assert "271828" not in found


def test_keys_at_the_top_and_signature_tables_exclude_each_other(problems: Problems) -> None:
    found = problems(
        'key = "emulated:a"\nbundle-certificate = true\noutput-directory = "o"\n[[signature]]\nkey = "emulated:b"'
    )
    assert [problem.partition(": stands beside")[0] for problem in found] == [
        "hatch-sign.toml:1: key",
        "hatch-sign.toml:2: bundle-certificate",
    ]


TWO = '[[signature]]\nname = {}\nkey = "emulated:a"\n[[signature]]\n{}key = "emulated:b"\n'


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ('"a"', 'name = "a"\n', "hatch-sign.toml:5: signature[1].name: is 'a', as another signature's is"),
        ('"A"', "", "hatch-sign.toml:2: signature[0].name: is 'A', expected at most 64 lower-case"),
        ("1", "", "hatch-sign.toml:2: signature[0].name: is an integer, expected a string"),
        ('"sigstore"', "", "is 'sigstore', which is a format's"),
        ('"cms"', "", "is 'cms', which is a format's"),
        ('"intoto"', "", "is 'intoto', by which its files would look like those of the format statement"),
    ],
)
def test_names_of_signatures_are_apart(first: str, second: str, problem: str, problems: Problems) -> None:
    assert problem in problems(TWO.format(first, second))[0]


def test_one_signature_of_a_format_may_lack_a_name_and_two_may_not(load: Load, problems: Problems) -> None:
    assert [signature.name for signature in load(TWO.format('"a"', "")).signatures] == ["a", None]
    (found,) = problems('[[signature]]\nkey = "emulated:a"\n[[signature]]\nkey = "emulated:b"\n')
    assert found == "hatch-sign.toml:3: signature[1]: lacks `name`: another signature of the format sigstore has none either"
    apart = load('[[signature]]\nkey = "emulated:a"\n[[signature]]\nkey = "emulated:b"\nformats = ["statement"]\n')
    assert len(apart.signatures) == 2


def test_a_signature_table_needs_a_key(problems: Problems) -> None:
    assert problems('[[signature]]\nname = "a"') == ("hatch-sign.toml:1: signature[0]: lacks `key`",)


def test_a_key_that_a_missing_format_may_know_is_not_called_unknown(problems: Problems, core_alone: Registry) -> None:
    (found,) = problems('formats = ["pep740"]\nsigning-time = true', plugins=core_alone)
    assert "install hatch-sign-sigstore" in found
    assert len(problems('formats = ["pep740"]\ncertificate = "x"', plugins=core_alone)) == 2


def test_several_signatures_leave_contents_without_a_key(problems: Problems) -> None:
    found = problems(TWO.format('"a"', "") + '[contents]\nformats = ["sigstore"]')
    assert any("contents: lacks `key`: several signatures are configured" in problem for problem in found)


def test_what_came_from_the_file_is_shown_without_control_characters(problems: Problems) -> None:
    (found,) = problems('"a\\u001b[31m\\u202e" = 1')
    assert "\x1b" not in found
    assert "\\x1b[31m\\u202e" in found
