"""The judge of the other tests knows a broken predicate."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hatch_sign.provenance import describe_build

from ...build_services import GITLAB
from ...slsa_rules import NotProvenanceError, require_provenance

ABSENT = object()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("buildDefinition",), ABSENT),
        (("buildDefinition", "buildType"), ABSENT),
        (("buildDefinition", "buildType"), "plain"),
        (("buildDefinition", "externalParameters"), ABSENT),
        (("buildDefinition", "externalParameters"), []),
        (("buildDefinition", "internalParameters"), "none"),
        (("buildDefinition", "resolvedDependencies"), {}),
        (("buildDefinition", "resolvedDependencies"), [{"name": "source"}]),
        (("buildDefinition", "resolvedDependencies"), [{"uri": "git+https://example.com/a b"}]),
        (("buildDefinition", "resolvedDependencies"), [{"digest": {"gitCommit": "HEAD"}}]),
        (("runDetails", "builder"), ABSENT),
        (("runDetails", "builder", "id"), ABSENT),
        (("runDetails", "builder", "version"), {"gitlab-runner": 1}),
        (("runDetails", "metadata", "finishedOn"), "2026-02-03T04:05:06+00:00"),
        (("runDetails", "metadata", "more"), "than there is"),
        (("slsa",), {}),
    ],
)
def test_what_breaks_a_rule_is_found(path: tuple[str, ...], value: object, tmp_path: Path) -> None:
    predicate: Any = copy.deepcopy(describe_build(GITLAB, tmp_path, datetime(2026, 2, 3, tzinfo=UTC)))
    require_provenance(predicate)
    *above, last = path
    table = predicate
    for name in above:
        table = table[name]
    if value is ABSENT:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(NotProvenanceError):
        require_provenance(predicate)
