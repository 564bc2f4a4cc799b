"""What a statement says of a build, whoever made the statement."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from hatch_sign.formats.intoto import ARTIFACT_CLAIM, RELEASE_CLAIM, Statement
from hatch_sign.formats.slsa import (
    PLAIN_BUILD_TYPE,
    PLAIN_BUILDER,
    PROVENANCE_CLAIM,
    Build,
    Dependency,
    describe_claim,
    encode_provenance,
    is_plain,
)

from ..slsa_rules import require_provenance

OLD = "https://slsa.dev/provenance/v0.2"
BUILDER = "https://builder.example/1"


def claim(predicate: dict[str, Any], kind: str = PROVENANCE_CLAIM) -> str:
    return describe_claim(Statement({}, kind, predicate))


def provenance(*dependencies: Dependency) -> dict[str, Any]:
    return encode_provenance(Build("https://type.example/1", BUILDER, dependencies=dependencies))


def test_what_is_not_known_is_left_out() -> None:
    assert provenance() == {
        "buildDefinition": {"buildType": "https://type.example/1", "externalParameters": {}},
        "runDetails": {"builder": {"id": BUILDER}},
    }


def test_all_that_is_known_is_written() -> None:
    written = encode_provenance(
        Build(
            "https://type.example/1",
            BUILDER,
            external={"a": 1},
            internal={"b": "2"},
            dependencies=(Dependency("https://source.example", {"sha256": "ab" * 32}, "source", {"modified": False}),),
            versions={"c": "3"},
            invocation="run 4",
            started=datetime(2026, 2, 3, 4, 5, 6, 999, tzinfo=timezone(timedelta(hours=-1))),
            finished=datetime(2026, 2, 3, 4, 5, 7, tzinfo=timezone(timedelta(hours=-1))),
        )
    )
    require_provenance(written)
    assert written == {
        "buildDefinition": {
            "buildType": "https://type.example/1",
            "externalParameters": {"a": 1},
            "internalParameters": {"b": "2"},
            "resolvedDependencies": [
                {
                    "name": "source",
                    "uri": "https://source.example",
                    "digest": {"sha256": "ab" * 32},
                    "annotations": {"modified": False},
                }
            ],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"c": "3"}},
            "metadata": {
                "invocationId": "run 4",
                "startedOn": "2026-02-03T05:05:06Z",
                "finishedOn": "2026-02-03T05:05:07Z",
            },
        },
    }


def test_a_plain_machine_is_told_from_a_build_service() -> None:
    assert is_plain(encode_provenance(Build(PLAIN_BUILD_TYPE, PLAIN_BUILDER)))
    assert not is_plain(provenance())


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ((), f"claims to be built by {BUILDER}"),
        ((Dependency("git+https://a.example/b@refs/tags/c", {"gitCommit": "ab" * 20}), Dependency("https://other.example")),
         f"claims to be built by {BUILDER} from git+https://a.example/b@refs/tags/c, commit {'ab' * 20}"),
        ((Dependency(digest={"sha1": "cd" * 20}, annotations={"modified": True}),),
         f"claims to be built by {BUILDER} from commit {'cd' * 20}, changed since"),
        ((Dependency(digest={"sha256": "cd" * 32}, annotations={"modified": False}),), f"claims to be built by {BUILDER}"),
    ],
)  # fmt: skip
def test_a_claim_is_one_line(dependencies: tuple[Dependency, ...], expected: str) -> None:
    assert claim(provenance(*dependencies)) == expected


def test_the_older_provenance_is_understood() -> None:
    predicate = {"builder": {"id": BUILDER}, "materials": [{"uri": "git+https://a.example", "digest": {"sha1": "ab" * 20}}]}
    assert claim(predicate, OLD) == f"claims to be built by {BUILDER} from git+https://a.example, commit {'ab' * 20}"
    assert claim(predicate) == "claims to be built, not by whom"


@pytest.mark.parametrize("kind", [ARTIFACT_CLAIM, RELEASE_CLAIM, "https://docs.pypi.org/attestations/publish/v1"])
def test_other_claims_say_nothing_of_a_build(kind: str) -> None:
    assert claim(provenance(), kind) == ""


@pytest.mark.parametrize(
    "predicate",
    [
        {},
        {"runDetails": None},
        {"runDetails": []},
        {"runDetails": {"builder": {"id": 7}}},
        {"buildDefinition": {"resolvedDependencies": [None]}},
        {"buildDefinition": {"resolvedDependencies": [{"uri": ["a"], "digest": "b"}]}},
        {"buildDefinition": {"resolvedDependencies": {"uri": "a"}}},
    ],
)
def test_a_predicate_of_another_shape_claims_nothing_in_particular(predicate: dict[str, Any]) -> None:
    assert claim(predicate) == "claims to be built, not by whom"


def test_a_hostile_claim_is_shown_safely() -> None:
    hostile = "https://\x1b[2J\u202e\n" + "x" * 100_000
    written = claim(
        {
            "runDetails": {"builder": {"id": hostile}},
            "buildDefinition": {"resolvedDependencies": [{"uri": hostile, "digest": {"gitCommit": hostile}}]},
        }
    )
    assert written.isprintable()
    assert len(written) < 2000
