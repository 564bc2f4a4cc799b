"""A 2 GiB file and a large wheel from an index: time beside `openssl dgst -sha256`, and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .measuring import hatch_sign, measure, report

if TYPE_CHECKING:
    from .conftest import Bench

GIBIBYTE = 1 << 30
BLOCK = bytes(range(256)) * 4096


@pytest.fixture(scope="module")
def large_file(bench: Bench) -> Path:
    path = bench.folder / "large" / "large.bin"
    path.parent.mkdir()
    with path.open("wb") as stream:
        for number in range(2 * GIBIBYTE // len(BLOCK)):
            stream.write(number.to_bytes(8, "big") + BLOCK[8:])
    return path


@pytest.fixture(scope="module")
def large_wheel(bench: Bench) -> Path:
    """Numpy's newest wheel for this interpreter, as the index serves it."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", "wheels", "numpy"]
    subprocess.run(command, cwd=bench.folder, check=True)
    return next((bench.folder / "wheels").glob("numpy-*.whl"))


def test_a_2_gib_file_beside_openssl(bench: Bench, large_file: Path) -> None:
    _compare(bench, large_file, rounds=4)
    large_file.unlink()


def test_a_large_wheel_beside_openssl(bench: Bench, large_wheel: Path) -> None:
    _compare(bench, large_wheel, rounds=3)


def _compare(bench: Bench, path: Path, *, rounds: int) -> None:
    commands = {
        "openssl dgst -sha256": ["openssl", "dgst", "-sha256", str(path)],
        "hatch-sign sign": hatch_sign("sign", str(path), "--overwrite"),
        "hatch-sign verify": hatch_sign("verify", str(path)),
    }
    best = measure(commands, rounds=rounds, environ=bench.environ, folder=bench.folder)
    base = best["openssl dgst -sha256"].seconds
    report(
        f"{path.name} ({path.stat().st_size / 2**20:.0f} MiB): seconds, openssl's speed = 1, resident MiB",
        [f"{name:24} {m.seconds:6.2f}  {base / m.seconds:5.2f}  {m.mebibytes:6.0f}" for name, m in best.items()],
    )
