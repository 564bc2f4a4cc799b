"""Which identities patterns mean, and that no stranger's is among them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_sigstore.identity.matching import LONGEST, exact_identity, identity_pattern

PLACE = "https://github.com/example/app/.github/workflows/release.yml"


@pytest.mark.parametrize(
    ("reference", "matching", "others"),
    [
        ("refs/tags/*", ["refs/tags/v1", "refs/tags/a/b-c_d.e"], ["refs/tags/", "refs/heads/v1", "refs/tags/v1@x"]),
        ("refs/tags/v*", ["refs/tags/v1.0"], ["refs/tags/v", "refs/tags/1.0", "Refs/tags/v1"]),
        ("refs/*/release", ["refs/heads/release"], ["refs/heads/release2", "refs//releas", "refs/release"]),
        ("refs/tags/v*.*", ["refs/tags/v1.0", "refs/tags/v1.0.1"], ["refs/tags/v1", "refs/tags/v.0", "refs/tags/v1."]),
        ("*", ["refs/heads/main", "a"], ["", "refs/heads/é", "a b", "a\n", "a%2e", "a?b", "a#b"]),
        ("refs/tags/*", [], ["refs/tags/../heads/main", "refs/tags/v1..2", "refs/tags/v1\n", "refs/tags/v1 "]),
    ],
)
def test_a_star_stands_for_part_of_a_reference(reference: str, matching: list[str], others: list[str]) -> None:
    matcher = identity_pattern(f"{PLACE}@{reference}")
    assert [each for each in matching if not matcher.matches(f"{PLACE}@{each}")] == []
    assert [each for each in others if matcher.matches(f"{PLACE}@{each}")] == []


@pytest.mark.parametrize(
    "identity",
    [
        "https://github.com/stranger/app/.github/workflows/release.yml@refs/tags/v1",
        f"{PLACE}x@refs/tags/v1",
        f"x{PLACE}@refs/tags/v1",
        f"{PLACE}@x@refs/tags/v1",
        PLACE.replace(".github/", "xgithub/") + "@refs/tags/v1",
        PLACE.upper() + "@refs/tags/v1",
        f"{PLACE}@refs/tags/" + "v" * LONGEST,
    ],
)
def test_nothing_before_the_last_at_is_free(identity: str) -> None:
    assert not identity_pattern(f"{PLACE}@refs/tags/*").matches(identity)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("https://github.com/*/app@refs/tags/*", "expected an https address with `*` after its last `@` only"),
        (f"{PLACE}*", "after its last `@` only"),
        (f"{PLACE}*@refs/heads/main", "after its last `@` only"),
        (f"{PLACE}@*@main", "after its last `@` only"),
        ("somebody@*", "expected an https address"),
        ("*@example.com", "expected an https address"),
        ("http://example.com/a@*", "expected an https address"),
        ("", "expected an https address"),
        (f"{PLACE}@refs/heads/main", "has no `*`; write `identity` instead"),
        (f"{PLACE}@refs/**", "holds `**` or `..`"),
        (f"{PLACE}@refs/../*", "holds `**` or `..`"),
        (f"{PLACE}@{'a' * LONGEST}*", "more than 2048 characters"),
    ],
)
def test_a_pattern_that_trusts_strangers_or_nobody_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        identity_pattern(pattern)


def test_an_identity_stands_for_itself() -> None:
    matcher = exact_identity(f"{PLACE}@refs/tags/v1.0")
    assert matcher.matches(f"{PLACE}@refs/tags/v1.0")
    assert not matcher.matches(f"{PLACE}@refs/tags/v1x0")
    with pytest.raises(ConfigurationError, match="stands for itself alone, its `\\*` too; write `identity-pattern` instead"):
        exact_identity(f"{PLACE}@refs/tags/*")


PIECES = st.text("av.+", min_size=0, max_size=3).filter(lambda piece: ".." not in piece)


@given(st.lists(PIECES, min_size=2, max_size=4), st.text("av.+@", max_size=12))
def test_matching_without_a_second_try_finds_all_that_trying_would(pieces: list[str], text: str) -> None:
    """The same pattern with stars that give back what they took, as Python's own matching does it."""
    reference = "*".join(pieces)
    if "**" in reference or ".." in reference:
        return
    trying = "[A-Za-z0-9._/-]+".join(map(re.escape, pieces))
    expected = re.fullmatch(trying, text) is not None and ".." not in text
    assert identity_pattern(f"{PLACE}@{reference}").matches(f"{PLACE}@{text}") == expected


def test_a_long_identity_takes_no_long_time() -> None:
    """What would try each of 2,000 places for each of nine stars would not end."""
    matcher = identity_pattern(f"{PLACE}@{'*a' * 9}b")
    assert not matcher.matches(f"{PLACE}@{'a' * 1900}")
