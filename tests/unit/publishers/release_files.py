"""Files of a release as the core hands them to a publisher, and what it hears of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hatch_sign.contract import Published, ReleaseFile
from hatch_sign.custody.context import RunContext

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WHEEL = "app-1.0-py3-none-any.whl"
BUNDLE = f"{WHEEL}.sigstore.json"
LIST = "SHA256SUMS"
LIST_BUNDLE = f"{LIST}.sigstore.json"
IN_ORDER = [BUNDLE, LIST_BUNDLE, LIST, WHEEL]
"""The names of :func:`release`, as they have to appear."""


def release_file(
    folder: Path, name: str, content: bytes, format_: str | None = None, artifact: str | None = None
) -> ReleaseFile:
    folder.mkdir(exist_ok=True)
    path = folder / f"copy of {name}"
    path.write_bytes(content)
    return ReleaseFile(name, path, len(content), hashlib.sha256(content).digest(), format_, artifact)


def release(folder: Path) -> list[ReleaseFile]:
    """Return an artifact, its signature, a list and its signature, in the order in which the core has them."""
    return [
        release_file(folder, WHEEL, b"wheel " * 1000),
        release_file(folder, BUNDLE, b"bundle", "sigstore", WHEEL),
        release_file(folder, LIST, b"list", "checksums"),
        release_file(folder, LIST_BUNDLE, b"bundle of the list", "sigstore"),
    ]


class Heard:
    """What a destination reported, and what the run was warned of."""

    def __init__(self) -> None:
        self.deeds: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def __call__(self, published: Published) -> None:
        self.deeds.append((published.name, published.deed))

    @property
    def uploaded(self) -> list[str]:
        return [name for name, deed in self.deeds if deed == "uploaded"]

    @property
    def present(self) -> list[str]:
        return [name for name, deed in self.deeds if deed == "present"]

    def context(self, environ: Mapping[str, str] | None = None) -> RunContext:
        return RunContext(environ or {}, on_warning=self.warnings.append)
