"""Runs hatch-sign, or a suite of tests, in a child process: a module reads its variables when it is loaded, once."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tokens import RealToken

ROOT = Path(__file__).resolve().parents[3]
SUITES = Path(__file__).resolve().parent / "suites"
VARIABLE = "REAL_TOKEN"
"""Tells a suite which token it runs over; see ``suites/given_token.py``."""


@dataclass(frozen=True)
class SuiteRun:
    """How many tests of a suite ran, and what became of them."""

    passed: int
    failed: int
    skipped: int
    output: str


def run_suite(token: RealToken, suite: str, *options: str, seconds: float) -> SuiteRun:
    """Run a file of ``suites`` under pytest over a token.

    :param seconds: after which it hangs: subprocess.TimeoutExpired, and the test has failed.
    """
    with tempfile.TemporaryDirectory(prefix="suite-") as folder:
        report = Path(folder, "report.xml")
        wanted = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}", f"--basetemp={folder}/base"]
        done = run_python(token, "-m", "pytest", *wanted, *options, SUITES / suite, seconds=seconds)
        found = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it just now
        assert found is not None
        numbers = {name: int(found.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    failed = numbers["failures"] + numbers["errors"]
    return SuiteRun(numbers["tests"] - failed - numbers["skipped"], failed, numbers["skipped"], done.stdout)


def run_python(token: RealToken, *arguments: str | Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run the interpreter of the tests where the token can be reached; its output and errors are one text."""
    return subprocess.run(
        token.command(sys.executable, *arguments, folder=ROOT),
        env=token.environment(**{VARIABLE: _described(token)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def run_hatch_sign(token: RealToken, *arguments: str | Path, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run ``hatch-sign`` where the token can be reached."""
    return run_python(token, "-m", "hatch_sign", *arguments, seconds=seconds)


def _described(token: RealToken) -> str:
    given = {
        "name": token.name.value,
        "label": token.label,
        "module": str(token.module),
        "reference": token.reference("LABEL"),
        "pin": token.pin,
        "so-pin": token.so_pin,
        "algorithms": [algorithm.value for algorithm in token.algorithms],
        "unusable": [algorithm.value for algorithm in token.unusable],
        "lacks": [scheme.label for scheme in token.lacks],
        "takes-threads": token.takes_threads,
    }
    return json.dumps(given)
