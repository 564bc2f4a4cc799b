"""What a person reads: prefix, no capital, no full stop. Results go to standard output, all else to standard error."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from hatch_sign.values.display import display, display_json

_GAP = re.compile(r"(?<= ) |^ | $")
"""Spaces by which a cell could pass for several where two of them stand between cells."""


class Console:
    """Two streams. Text from files goes through ``display()`` before it gets here; what reaches a table does here."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = _tolerant(out or sys.stdout)
        self._err = _tolerant(err or sys.stderr)
        self._warned: set[str] = set()
        self._documented = False

    @property
    def is_terminal(self) -> bool:
        """Whether results are read by a person as they appear."""
        return self._out.isatty()

    def line(self, text: str) -> None:
        """Write one line of the result."""
        self._out.write(text + "\n")

    def script(self, text: str) -> None:
        """Write a program for a shell, whose lines end on Windows as they do elsewhere: no shell takes a carriage return."""
        reconfigure = getattr(self._out, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(newline="\n")
        self._out.write(text)

    def flush(self) -> None:
        """Hand on what was written so far. Raises BrokenPipeError where nobody reads it any more."""
        self._out.flush()

    def note(self, text: str) -> None:
        """Write one line beside the result."""
        self._err.write(text + "\n")

    def warn(self, text: str) -> None:
        """Warn, once per text."""
        if text not in self._warned:
            self._warned.add(text)
            self._err.write(f"hatch-sign: warning: {text}\n")

    def error(self, text: str, details: Iterable[str] = ()) -> None:
        """Say why it ends, and below that line what belongs to it."""
        self._err.write(f"hatch-sign: error: {text}\n")
        for detail in details:
            self._err.write(f"  {detail}\n")

    def document(self, content: Mapping[str, object]) -> None:
        """Write the one JSON document of a ``--json`` run; after it, a failure is told on standard error alone."""
        if not self._documented:
            self._documented = True
            self._out.write(display_json(content, indent=2) + "\n")

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a table on a terminal, and elsewhere a line per row with two spaces between its cells.

        A terminal that is too narrow for a word of it gets lines as well: a reference that is broken cannot be copied.
        """
        cells = [[display(cell) for cell in row] for row in rows]
        widths = _widths([headers, *cells], shutil.get_terminal_size().columns) if self.is_terminal else None
        if widths is not None and find_spec("rich") is not None:
            self._rich_table(headers, cells, widths)
        else:
            for row in cells:
                self.line("  ".join(_GAP.sub(r"\\x20", cell) for cell in row if cell))

    def _rich_table(self, headers: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to import, and for terminals only
        from rich.table import Column, Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        columns = [Column(header, overflow="fold", width=width) for header, width in zip(headers, widths, strict=True)]
        table = Table(*columns)
        for row in cells:
            table.add_row(*(Text(cell) for cell in row))
        RichConsole(file=self._out).print(table)

    @contextmanager
    def progress(self, description: str, total: int) -> Iterator[Progress]:
        """Show progress on standard error while the block runs; nothing where that is no terminal."""
        if total < _WORTH_SHOWING or not self._err.isatty() or find_spec("rich") is None:
            yield Progress()
            return
        bar = _Bar(self._err, description, total)
        try:
            yield bar
        finally:
            bar.stop()


class Progress:
    """Told of each piece of work that is done; shows nothing."""

    def advance(self) -> None:
        """Count one piece."""


class _Bar(Progress):
    """A bar that appears with the first piece of work that is done: before that, somebody may be asked for a PIN."""

    def __init__(self, stream: TextIO, description: str, total: int) -> None:
        from rich.console import Console as RichConsole  # noqa: PLC0415 - as in _rich_table
        from rich.progress import Progress as RichProgress  # noqa: PLC0415 - as in _rich_table

        self._bar = RichProgress(console=RichConsole(file=stream), transient=True)
        self._task = self._bar.add_task(description, total=total)

    def advance(self) -> None:
        self._bar.start()
        self._bar.advance(self._task)

    def stop(self) -> None:
        self._bar.stop()


_WORTH_SHOWING = 3
"""Pieces of work from which on a person wonders how many are left."""


_FRAME = 3
"""Characters that a table draws for each column beside its text; one more ends the row."""


def _widths(rows: Sequence[Sequence[str]], available: int) -> list[int] | None:
    """Return how wide the columns of a table are that breaks no word; None where it would not fit."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(word) for cell in column for word in cell.split() or ("",)) for column in columns]
    wanted = [max(map(len, column)) for column in columns]
    spare = available - sum(widths) - _FRAME * len(widths) - 1
    if spare < 0:
        return None
    while spare > 0 and (narrow := [n for n, width in enumerate(widths) if width < wanted[n]]):
        for n in narrow[:spare]:
            widths[n] += 1
        spare -= len(narrow)
    return widths


def _tolerant(stream: TextIO | None) -> TextIO:
    """Make a stream write what its encoding lacks as an escape: a Windows console may know no more than code page 437.

    A stream that the shell has closed is one that nobody reads: what ends the program is its exit code then.
    """
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream
