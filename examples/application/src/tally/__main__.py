"""The command ``tally FILE...``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tally import count_words


def main() -> int:
    """Print the number of words of each file, and of all of them where there are several."""
    parser = argparse.ArgumentParser(prog="tally", description="Count the words of text files.")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    files = parser.parse_args().files
    counts = [count_words(file.read_text(encoding="utf-8", errors="replace")) for file in files]
    for file, count in zip(files, counts, strict=True):
        print(f"{count}\t{file}")  # noqa: T201 - this is what the command is for
    if len(files) > 1:
        print(f"{sum(counts)}\tin all")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
