"""Runs of hatch-sign that are interrupted by whoever serves them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

from .cli_project import Project, Ran

_PROGRAM = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from hatch_sign.cli import main
sys.exit(main())
"""
INTERRUPTIBLE = ("-c", _PROGRAM)
"""Whoever runs the tests in the background has SIGINT ignored, and the program would inherit that."""

PATIENCE = 300
"""Seconds after which a run that was interrupted is taken to hang."""


class InterruptedRun:
    """One run: a server may interrupt it as soon as it is asked something."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started = threading.Event()

    def interrupt(self) -> None:
        assert self._started.wait(PATIENCE)
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)

    def of(self, project: Project, *arguments: str, **environ: str) -> Ran:
        """Run until it ends, as an interrupted program does; coverage is not measured, as `Project.unmeasured` says."""
        command = [sys.executable, *INTERRUPTIBLE, *arguments]
        given = {**project.unmeasured().environ, **environ}
        with subprocess.Popen(
            command, cwd=project.folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            self._process = process
            self._started.set()
            try:
                out, err = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        ran = Ran(process.returncode, out.decode(), err.decode())
        assert ran.code == 130, ran.output
        assert "Traceback" not in ran.output
        return ran
