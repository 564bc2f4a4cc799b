"""``hatch clean`` and ``hatch build -c``: take away the signatures whose artifacts Hatch has taken away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hatch_sign.artifacts.naming import DISTRIBUTIONS, SIGNATURE_NAME, owner_of
from hatch_sign.building.stale import Formats, file_names, names, shared_files, sidecar_paths


def remove_orphans(built: Path, formats: Formats, folder: Path | None = None) -> tuple[Path, ...]:
    """Remove the signatures in `built` and `folder` whose artifacts are gone from `built`; return what was removed.

    Hatch removes one target's artifacts, lets each hook clean, builds that target, and goes on to the next. So what is
    there now was either built just before or was not to be cleaned, and keeps its signature.
    """
    present = _present(built, formats)
    removed: list[Path] = []
    gone: set[str] = set()
    places = dict.fromkeys([built, folder or built])
    for place in places:
        for sidecar, artifact in _orphans(place, formats, present, only_distributions=place != built):
            gone.add(artifact)
            removed.append(sidecar)
    for place in places:
        removed += _forsaken(place, formats, present if place == built else None, gone)
    for path in removed:
        path.unlink(missing_ok=True)
    return tuple(removed)


def _present(built: Path, formats: Formats) -> set[str]:
    """Return what may be signed below `built`, by base name and by path, as sidecars and statements name it."""
    found = set()
    for folder, _, files in os.walk(built):
        below = Path(folder).relative_to(built)
        for name in files:
            if owner_of(name, formats.values()) is None:
                found |= {name, (below / name).as_posix()}
    return found


def _orphans(place: Path, formats: Formats, present: set[str], *, only_distributions: bool) -> Iterator[tuple[Path, str]]:
    """Yield each sidecar without an artifact, and that artifact's name.

    A folder that is not the build's own may hold others' files of such names: only those of distributions are ours there.
    """
    for name in file_names(place):
        owner = owner_of(name, formats.values())
        if owner is None or owner.kind != "sidecar":
            continue
        whole = name.removesuffix(owner.suffix)
        stem, _, signature = whole.rpartition(".")
        unnamed = stem if SIGNATURE_NAME.fullmatch(signature) else whole
        if owner_of(whole, formats.values()) is not None or present & {whole, unnamed}:
            continue
        artifact = unnamed if unnamed.endswith(DISTRIBUTIONS) else whole
        if artifact.endswith(DISTRIBUTIONS) or not only_distributions:
            yield place / name, artifact


def _forsaken(place: Path, formats: Formats, present: set[str] | None, gone: set[str]) -> Iterator[Path]:
    """Yield, with their signatures, the lists that name what is gone; those that name none of `present`, too, if given."""
    for shared in shared_files(place, formats):
        lost = any(names(shared, name) for name in gone)
        if lost or (present is not None and not any(names(shared, name) for name in present)):
            yield from sidecar_paths(shared.path, formats)
            yield shared.path
