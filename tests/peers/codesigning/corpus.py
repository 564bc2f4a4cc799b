"""Programs for Windows as wheels carry them: for x86, x64 and ARM64, unsigned and signed by Microsoft."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.peers import rigs

PE_SUFFIXES = (".dll", ".exe", ".pyd", ".sys")


@dataclass(frozen=True)
class PeSample:
    """One member of one wheel; `name` tells it apart, and says the platform of the wheel."""

    wheel: Path
    member: str

    @property
    def name(self) -> str:
        return f"{self.wheel.stem.split('-')[0]}-{self.wheel.stem.split('-')[-1]}/{self.member}"

    def __str__(self) -> str:
        return self.name

    def load(self) -> bytes:
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(self.member)


def wheels() -> list[Path]:
    """Return the wheels of the corpus; without it the test is skipped, or fails under continuous integration."""
    rigs.require(rigs.Peer.JSIGN)  # What installs it fetches the wheels as well, before it says that it is done.
    return sorted((rigs.cache_folder() / "codesigning" / "wheels").glob("*.whl"))


def numpy_wheel(platform: str = "win_amd64") -> Path:
    """Return numpy for ``win_amd64``, ``win_arm64`` or ``win32``; the first two carry a library that Microsoft signed."""
    return next(wheel for wheel in wheels() if wheel.name.startswith("numpy-") and wheel.stem.endswith(platform))


def pe_files() -> list[PeSample]:
    """Return every program, library and extension module of the corpus, about 190 of them."""
    return [PeSample(wheel, member) for wheel in wheels() for member in _members(wheel)]


def vendor_signed() -> list[PeSample]:
    """Return those that come signed, by Microsoft under several of its names, with timestamps of its own."""
    return [sample for sample in pe_files() if _has_certificate_table(sample)]


def launchers() -> list[PeSample]:
    """Return the launchers of pip, setuptools and distlib: behind some of them, installers write an archive."""
    return [sample for sample in pe_files() if sample.member.endswith(".exe") and sample.wheel.stem.endswith("none-any")]


@cache
def _members(wheel: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(wheel) as archive:
        return tuple(name for name in archive.namelist() if name.lower().endswith(PE_SUFFIXES))


@cache
def _has_certificate_table(sample: PeSample) -> bool:
    """Look where the PE format says: the fifth data directory of the optional header."""
    content = sample.load()
    optional = int.from_bytes(content[0x3C:0x40], "little") + 24
    is_plus = content[optional : optional + 2] == b"\x0b\x02"
    directory = optional + (112 if is_plus else 96) + 4 * 8
    return any(content[directory : directory + 8])
