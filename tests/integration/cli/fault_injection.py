"""Run hatch-sign and strike at the n-th time that it touches a file below a folder.

``python fault_injection.py N SIGNAL FOLDER ARGUMENT…``

Every opening, renaming and removal is an instant at which the disk is in another state; between two of them nothing
changes that anybody could see. Run without a number that is reached, the program ends as it would without this one.
"""

from __future__ import annotations

import os
import signal
import sys

_TOUCHING = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "shutil.move"}


def main() -> int:
    # Whoever runs the tests in the background has SIGINT ignored, and the program would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    number, name, folder = int(sys.argv[1]), sys.argv[2], os.path.realpath(sys.argv[3])
    touched = 0

    def strike(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal touched
        if event not in _TOUCHING or not str(arguments[0]).startswith(folder):
            return
        touched += 1
        if touched == number:
            os.kill(os.getpid(), signal.Signals[name])

    sys.addaudithook(strike)
    from hatch_sign.cli import main as hatch_sign  # noqa: PLC0415 - after the hook

    return hatch_sign(sys.argv[4:])


if __name__ == "__main__":
    sys.exit(main())
