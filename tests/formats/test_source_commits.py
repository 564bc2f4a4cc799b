"""The commits that a provenance of anybody names as its sources, whatever else is in it."""

from __future__ import annotations

from typing import Any

import pytest

from hatch_sign.formats.intoto import Statement
from hatch_sign.formats.slsa import PROVENANCE_CLAIM, SourceCommit, source_commits

OLD = "https://slsa.dev/provenance/v0.2"
COMMIT, OTHER = "4f2b1c3d5e6f708192a3b4c5d6e7f8091a2b3c4d", "0" * 40


def sources(predicate: Any, claim: str = PROVENANCE_CLAIM) -> tuple[SourceCommit, ...]:  # noqa: ANN401 - any JSON value
    return source_commits(Statement({"demo": {}}, claim, predicate))


def resolved(*dependencies: object) -> dict[str, Any]:
    return {"buildDefinition": {"resolvedDependencies": list(dependencies)}}


def test_each_commit_is_named_in_order_and_changed_files_are_told() -> None:
    changed = {"name": "checkout", "digest": {"gitCommit": OTHER}, "annotations": {"modified": True}}
    found = sources(resolved({"uri": "git+https://h/x", "digest": {"gitCommit": COMMIT}}, {"uri": "pkg:pypi/x"}, changed))
    assert found == (SourceCommit(COMMIT, modified=False), SourceCommit(OTHER, modified=True))


def test_older_provenances_name_a_commit_by_its_sha1_and_other_things_too() -> None:
    materials = [
        {"uri": "git+https://h/x@refs/tags/v1", "digest": {"sha1": COMMIT}},
        {"uri": "pkg:x", "digest": {"sha1": OTHER}},
    ]
    assert sources({"materials": materials}, OLD) == (SourceCommit(COMMIT, modified=False),)


@pytest.mark.parametrize(
    "predicate",
    [
        {},
        {"buildDefinition": 3},
        {"buildDefinition": {"resolvedDependencies": {"digest": {"gitCommit": COMMIT}}}},
        resolved(None, 3, [], {"digest": []}, {"digest": {"gitCommit": 3}}, {"digest": {"gitCommit": ""}}, {"uri": 3}),
    ],
)
def test_what_is_not_of_the_form_names_none(predicate: Any) -> None:  # noqa: ANN401 - as above
    assert sources(predicate) == ()
    assert sources(predicate, OLD) == ()


def test_a_claim_of_another_kind_names_none() -> None:
    assert sources(resolved({"digest": {"gitCommit": COMMIT}}), "https://in-toto.io/attestation/release/v0.1") == ()
