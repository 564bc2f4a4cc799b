"""What the action adds to a job that has it installed already, as ratios to `pip --version`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .measuring import hatch_sign, measure, report, run_once

if TYPE_CHECKING:
    from .conftest import Bench

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
ACTION = [sys.executable, "-I", "-X", "utf8", str(ROOT / "action")]
"""How `action.yml` starts it."""


def step(folder: Path, command: str, **inputs: str) -> list[str]:
    """Return the command line of one step, its inputs and files as the runner gives them."""
    runner: dict[str, Path | str] = {"GITHUB_WORKSPACE": folder, "RUNNER_TEMP": folder / "runner"}
    runner["GITHUB_EVENT_NAME"] = "push"
    runner |= {f"GITHUB_{name}": folder / "runner" / name.lower() for name in ("OUTPUT", "STEP_SUMMARY")}
    given = {"command": command, "files": "dist", "show_summary": "true", **inputs}
    words = [f"{name}={value}" for name, value in runner.items()]
    return ["env", *words, *(f"ACTION_INPUT_{name.upper()}={value}" for name, value in given.items()), *ACTION]


def test_what_the_action_adds_to_a_warm_job(bench: Bench) -> None:
    folder = bench.folder / "action"
    (folder / "dist").mkdir(parents=True)
    (folder / "runner").mkdir()
    (folder / "dist" / "one.bin").write_bytes(b"one artifact\n" * 1000)
    for name in ("hatch-sign.toml", "release.pub"):
        (folder / name).write_bytes((bench.folder / name).read_bytes())
    afresh = ["sh", "-c", 'rm -f dist/*.sigstore.json; exec "$@"', "sh"]
    sign = [*afresh, *step(folder, "sign", policy="hatch-sign.toml")]
    first = run_once(sign, environ=bench.environ, folder=folder)
    commands = {
        "pip --version": [sys.executable, "-m", "pip", "--version"],
        "hatch-sign sign, and verify": [*afresh, "sh", "-c", '"$@" sign dist && "$@" verify dist', "sh", *hatch_sign()],
        "a step that signs and verifies": sign,
        "hatch-sign verify": hatch_sign("verify", "dist"),
        "a step that verifies": step(folder, "verify"),
    }
    best = measure(commands, rounds=ROUNDS, environ=bench.environ, folder=folder)
    base = best["pip --version"].seconds
    report(
        "the action in a job that has it installed: milliseconds, and as a ratio to `pip --version`",
        [
            *(f"{name:32} {taken.seconds * 1000:6.0f}  {taken.seconds / base:5.2f}" for name, taken in best.items()),
            f"{'the first step, which installs':32} {first.seconds * 1000:6.0f}  {first.seconds / base:5.2f}",
        ],
    )
