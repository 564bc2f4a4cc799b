"""What the jobs of a run hand to each other: made as builders would, kept where the stubs of `acting` keep it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SDIST = "app-1.0.tar.gz"
METADATA = "Metadata-Version: 2.3\nName: app\nVersion: 1.0\n"


def make(folder: Path, *names: str) -> None:
    """Put what was built elsewhere into a folder: small wheels and sdists, well-formed, with these names."""
    folder.mkdir(parents=True)
    for name in names:
        if name == SDIST:
            inside = {"PKG-INFO": METADATA.encode(), "pyproject.toml": b""}
            with tarfile.open(folder / name, "w:gz") as archive:
                for path, content in inside.items():
                    member = tarfile.TarInfo(f"app-1.0/{path}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        else:
            tag = name.removeprefix("app-1.0-").removesuffix(".whl")
            with zipfile.ZipFile(folder / name, "w") as wheel:
                wheel.writestr("app/__init__.py", "")
                wheel.writestr("app-1.0.dist-info/METADATA", METADATA)
                wheel.writestr("app-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
                wheel.writestr("app-1.0.dist-info/RECORD", "")


def store(folder: Path) -> Path:
    """Return the folder that holds the artifacts of a project's runs."""
    return folder.parent / "artifacts"


def kept(folder: Path, artifact: str) -> set[str]:
    """Return the names in an artifact of the store; none where there is no such artifact."""
    return {path.name for path in (store(folder) / artifact).glob("*")}


def signed(*names: str) -> set[str]:
    """Return the names with those of their bundles."""
    return {*names, *(f"{name}.sigstore.json" for name in names)}
