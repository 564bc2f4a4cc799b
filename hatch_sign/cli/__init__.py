"""The command line. Each command is a module, imported only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``hatch-sign`` and return its exit code: 0 done and verified, 1 rejected, 2 misuse, 3 backend failed."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        from hatch_sign import __version__  # noqa: PLC0415 - start-up counts, and this needs nothing else

        sys.stdout.write(f"hatch-sign {__version__}\n")
        return 0
    from hatch_sign.cli.running import run  # noqa: PLC0415 - as above

    return run(arguments)
