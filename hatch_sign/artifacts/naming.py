"""The names of the files that belong to an artifact: sidecars, aggregates and manifests."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.contract import Format

DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
"""How wheels and sdists end: what says of itself, inside, which release it is."""

LARGEST_SIGNATURE = 64 * 1024 * 1024
"""Bytes of a signature file that are read; no format has any use for so many."""

SIGNATURE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
"""What a configured signature may be called: it becomes part of file names."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file beside an artifact, by its name alone: of which format, and of which named signature."""

    path: Path
    format: Format
    signature: str | None = None


def sidecar_name(artifact: str, format_: Format, signature: str | None) -> str:
    """Return ``ARTIFACT[.SIGNATURE]SUFFIX``."""
    return f"{artifact}.{signature}{format_.suffix}" if signature else f"{artifact}{format_.suffix}"


def owner_of(name: str, formats: Iterable[Format]) -> Format | None:
    """Return the format whose suffix, the longest of those that fit, ends the file name; None for an artifact."""
    fitting = (f for f in formats if f.suffix and (name == f.suffix if f.kind == "manifest" else name.endswith(f.suffix)))
    return max(fitting, key=lambda f: len(f.suffix), default=None)


def is_signature_file(name: str, formats: Iterable[Format]) -> bool:
    """Return whether a file of this name is one of ours rather than an artifact."""
    return owner_of(name, formats) is not None


def sidecars_of(
    artifact: str, names: Sequence[str], folder: Path, formats: Iterable[Format], *, beside: Container[str]
) -> list[Sidecar]:
    """Return, of the sorted file `names` in `folder`, those that are sidecars of the artifact.

    `beside` are the names in the artifact's own folder: where ``tool.exe`` is among them, ``tool.exe.sigstore.json`` is
    its sidecar, and not one called ``exe`` of ``tool``.
    """
    known, prefix = tuple(formats), artifact + "."
    # Names that begin alike stand together: a folder of thousands is not gone through once for each artifact.
    start = bisect_left(names, prefix)
    alike = takewhile(lambda name: name.startswith(prefix), islice(names, start, None))
    sidecars = (sidecar for name in alike if (sidecar := _sidecar(artifact, name, folder, known)) is not None)
    return [s for s in sidecars if s.signature is None or f"{artifact}.{s.signature}" not in beside]


def _sidecar(artifact: str, name: str, folder: Path, formats: tuple[Format, ...]) -> Sidecar | None:
    owner = owner_of(name, formats)
    if owner is None or owner.kind != "sidecar":
        return None
    middle = name[len(artifact) : len(name) - len(owner.suffix)]
    if not middle:
        return Sidecar(folder / name, owner)
    if SIGNATURE_NAME.fullmatch(middle[1:]) and middle[0] == ".":
        return Sidecar(folder / name, owner, middle[1:])
    return None
