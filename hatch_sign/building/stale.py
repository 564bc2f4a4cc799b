"""Signatures that no longer tell the truth: over older bytes, or over an artifact that must not be released."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.artifacts.naming import owner_of, sidecars_of
from hatch_sign.artifacts.reading import Readings, reread_digests
from hatch_sign.contract.kinds import speaks_of
from hatch_sign.values.outcomes import Verdict
from hatch_sign.verification.presence import Present, load

if TYPE_CHECKING:
    from hatch_sign.contract import Format

Formats = Mapping[str, "Format"]


def find_stale(
    artifacts: Sequence[Path], formats: Formats, folders: Iterable[Path], *, fresh: Container[Path], readings: Readings
) -> dict[Path, Path]:
    """Return each signature, of any of the artifacts, that is over other bytes than its artifact has, with that artifact.

    A list that names an artifact is one, too. `folders` are where signatures may lie besides the artifacts' own. Those in
    `fresh` were just made, and are not looked at; `readings` are what was read of the artifacts meanwhile.
    """
    places = dict.fromkeys([*(artifact.parent for artifact in artifacts), *folders])
    if not any(_older(place, formats, fresh) for place in places):
        return {}  # the usual case, which must cost a thousand artifacts nothing
    return {
        signature.path: artifact
        for artifact in artifacts
        for signature in _signatures(artifact, formats, places)
        if signature.path not in fresh and _problem(signature, artifact, readings) is Verdict.HASH_MISMATCH
    }


def remove_signature(path: Path, formats: Formats) -> list[Path]:
    """Remove a signature file; of a list, its own signatures too. Return what was removed."""
    removed = [*sidecar_paths(path, formats), path]
    for file in removed:
        file.unlink(missing_ok=True)
    return removed


def remove_all(artifact: Path, formats: Formats, folders: Iterable[Path]) -> tuple[Path, ...]:
    """Remove every signature of the artifact, and every list that names it. The artifact need not be there."""
    return tuple(
        path for signature in _signatures(artifact, formats, folders) for path in remove_signature(signature.path, formats)
    )


def artifacts_in(built: Path, formats: Formats) -> list[Path]:
    """Return the file at `built`, or, of a folder, all files that are no signatures, however odd; none where it is gone."""
    if not built.is_dir() or built.is_symlink():
        return [built] if os.path.lexists(built) else []
    found = [Path(folder, name) for folder, _, files in os.walk(built) for name in sorted(files)]
    return [path for path in found if owner_of(path.name, formats.values()) is None]


def names(shared: Present, artifact: str) -> bool:
    """Return whether a statement or list speaks of an artifact of this name; false where it cannot be read."""
    return not shared.problem and speaks_of(shared.format, shared.parsed, artifact)


def file_names(folder: Path) -> Sequence[str]:
    """Return the names in `folder`, sorted; none where it is not there."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is needed
    except OSError:
        return ()


def shared_files(folder: Path, formats: Formats) -> Iterator[Present]:
    """Yield the statements and lists in `folder`."""
    for name in file_names(folder):
        owner = owner_of(name, formats.values())
        if owner is not None and owner.kind in {"aggregate", "manifest"}:
            yield load(folder / name, owner, None)


def sidecar_paths(path: Path, formats: Formats) -> list[Path]:
    """Return the sidecars beside `path`."""
    names = file_names(path.parent)
    return [sidecar.path for sidecar in sidecars_of(path.name, names, path.parent, formats.values(), beside=names)]


def _signatures(artifact: Path, formats: Formats, folders: Iterable[Path]) -> list[Present]:
    """Return the sidecars of the artifact, and the lists that name it, in its own folder and in `folders`."""
    found = []
    beside = file_names(artifact.parent)
    for place in dict.fromkeys([artifact.parent, *folders]):
        is_its_own = place == artifact.parent or not os.path.lexists(place / artifact.name)
        if is_its_own:  # else the sidecars there are those of another artifact of that name
            sidecars = sidecars_of(artifact.name, file_names(place), place, formats.values(), beside=beside)
            found += [load(sidecar.path, sidecar.format, sidecar.signature) for sidecar in sidecars]
        if is_its_own or artifact.is_relative_to(place):
            found += [shared for shared in shared_files(place, formats) if names(shared, _name_in(place, artifact))]
    return found


def _name_in(folder: Path, artifact: Path) -> str:
    """Return what a statement in `folder` calls the artifact."""
    return artifact.relative_to(folder).as_posix() if artifact.is_relative_to(folder) else artifact.name


def _problem(signature: Present, artifact: Path, readings: Readings) -> Verdict | None:
    """Return what is wrong with a signature before any key is looked at."""
    if signature.problem:
        return None
    verifier: Any = signature.format.verifier()
    name = artifact.name if signature.format.kind == "sidecar" else _name_in(signature.path.parent, artifact)
    subjects = [reread_digests(artifact, signature.hashes, readings).subject(name)]
    keys: tuple[Any, ...] = () if signature.format.kind == "manifest" else ((),)
    finding = verifier.check(signature.parsed, subjects, *keys).get(name)
    return finding.problem if finding is not None else None


def _older(folder: Path, formats: Formats, fresh: Container[Path]) -> bool:
    """Return whether there is any signature in `folder` that is not fresh."""
    return any(owner_of(name, formats.values()) and folder / name not in fresh for name in file_names(folder))
