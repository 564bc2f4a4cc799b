"""Signatures that a run would break: over what an artifact was before something was signed inside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import owner_of, sidecars_of
from hatch_sign.contract.kinds import detached_verifier, speaks_of
from hatch_sign.signing.existing import read_existing
from hatch_sign.values.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.contract import Format
    from hatch_sign.signing.plan import SigningPlan


def find_outdated(plan: SigningPlan, changed: Sequence[Artifact], formats: Mapping[str, Format]) -> list[Path]:
    """Return the signatures of the `changed` artifacts that `plan` does not make anew, each once.

    They are sidecars, and statements and lists that name one of the artifacts; what cannot be read names none.
    """
    planned = {file.path for file in plan.files}
    found = (path for artifact in changed for path in _signatures(artifact, plan.folder, formats))
    return [path for path in dict.fromkeys(found) if path not in planned]


def _signatures(artifact: Artifact, output: Path, formats: Mapping[str, Format]) -> Iterator[Path]:
    beside = _names(artifact.path.parent)
    for folder in dict.fromkeys((artifact.path.parent, artifact.root, output)):
        names = _names(folder)
        yield from (each.path for each in sidecars_of(artifact.name, names, folder, formats.values(), beside=beside))
        for name in names:
            owner = owner_of(name, formats.values())
            if owner is not None and _names_artifact(folder / name, owner, artifact.name_below(folder)):
                yield folder / name


def _names_artifact(path: Path, format_: Format, artifact: str) -> bool:
    if format_.kind not in {"aggregate", "manifest"}:
        return False
    try:
        data = read_existing(path)
        return data is not None and speaks_of(format_, detached_verifier(format_).parse(data), artifact)
    except (MalformedError, UsageError):
        return False


def _names(folder: Path) -> Sequence[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else ()  # noqa: PTH208 - names are all that is needed
