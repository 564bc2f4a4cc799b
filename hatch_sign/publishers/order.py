"""In which order a release becomes visible: at no instant does a consumer see an artifact without its signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hatch_sign.contract import ReleaseFile


def signatures_first(files: Iterable[ReleaseFile]) -> list[ReleaseFile]:
    """Return the files with signatures first, then what covers many artifacts, then the artifacts.

    A signature whose artifact is not there yet harms nobody. What is signed itself, such as ``SHA256SUMS``, comes after its
    signature: its name is the beginning of that signature's name, and names go backwards.
    """
    backwards = sorted(files, key=lambda file: file.name, reverse=True)
    return sorted(backwards, key=lambda file: (file.format is None, file.artifact is None))
