"""Start-up, as ratios to importing cryptography.x509."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .measuring import hatch_sign, measure, report

if TYPE_CHECKING:
    from .conftest import Bench

ROUNDS = 9


def test_start_up_beside_importing_cryptography(bench: Bench) -> None:
    artifact = bench.folder / "one" / "one.bin"
    artifact.parent.mkdir()
    artifact.write_bytes(b"one artifact\n" * 1000)
    commands = {
        "python -c 'import cryptography.x509'": [sys.executable, "-c", "import cryptography.x509"],
        "hatch-sign --version": hatch_sign("--version"),
        "hatch-sign sign ONE": hatch_sign("sign", str(artifact), "--overwrite"),
        "hatch-sign verify ONE": hatch_sign("verify", str(artifact)),
    }
    best = measure(commands, rounds=ROUNDS, environ=bench.environ, folder=bench.folder)
    base = best["python -c 'import cryptography.x509'"].seconds
    report(
        "start-up: milliseconds, and as a ratio to the import",
        [f"{name:40} {measured.seconds * 1000:6.0f}  {measured.seconds / base:5.2f}" for name, measured in best.items()],
    )
