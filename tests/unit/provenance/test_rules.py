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
    ("path", "value", "named"),
    [
        (("buildDefinition",), ABSENT, "predicate"),
        (("buildDefinition", "buildType"), ABSENT, "buildDefinition"),
        (("buildDefinition", "buildType"), "plain", "buildType"),
        (("buildDefinition", "externalParameters"), ABSENT, "buildDefinition"),
        (("buildDefinition", "externalParameters"), [], "externalParameters"),
        (("buildDefinition", "internalParameters"), "none", "internalParameters"),
        (("buildDefinition", "resolvedDependencies"), {}, "resolvedDependencies"),
        (("buildDefinition", "resolvedDependencies"), [{"name": "source"}], "a dependency"),
        (("buildDefinition", "resolvedDependencies"), [{"uri": "git+https://example.com/a b"}], "a dependency's uri"),
        (("buildDefinition", "resolvedDependencies"), [{"digest": {"gitCommit": "HEAD"}}], "a dependency's digest"),
        (("runDetails", "builder"), ABSENT, "runDetails"),
        (("runDetails", "builder", "id"), ABSENT, "builder"),
        (("runDetails", "builder", "version"), {"gitlab-runner": 1}, "builder.version"),
        (("runDetails", "metadata", "finishedOn"), "2026-02-03T04:05:06+00:00", "finishedOn"),
        (("runDetails", "metadata", "more"), "than there is", "metadata"),
        (("slsa",), {}, "predicate"),
    ],
)
def test_what_breaks_a_rule_is_found(path: tuple[str, ...], value: object, named: str, tmp_path: Path) -> None:
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
    with pytest.raises(NotProvenanceError, match=f"^{named}$"):
        require_provenance(predicate)
