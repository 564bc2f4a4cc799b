"""The hook ``hatch-sign-config``: the configuration is valid, and every file that it names is there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Check the configuration in the folder of each file that is named; a folder without one is passed over.

    Return the gravest exit code of ``hatch-sign config check``.
    """
    parser = argparse.ArgumentParser(prog="hatch-sign-config", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", metavar="FILE", nargs="*")
    arguments = parser.parse_args(argv)
    folders = dict.fromkeys(Path(name).parent for name in arguments.files)
    return max(map(_check, folders), default=0)


def _check(folder: Path) -> int:
    from hatch_sign.cli import main as hatch_sign  # noqa: PLC0415 - where there is something to check only
    from hatch_sign.configuration.loading import find_configuration  # noqa: PLC0415 - as above
    from hatch_sign.values.errors import HatchSignError  # noqa: PLC0415 - as above

    try:
        found = find_configuration(folder, None)
    except HatchSignError as error:
        sys.stderr.write(f"hatch-sign-config: error: {error}\n")
        return error.exit_code
    return 0 if found is None else hatch_sign(["config", "check", "--config", str(found)])


if __name__ == "__main__":
    sys.exit(main())
