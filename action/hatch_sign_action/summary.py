"""The table in the job's summary. Whatever a file says stays the text of its cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign_action.documents import Row

MOST_BYTES = 900_000
"""The runner refuses a summary above 1 MiB, all of it."""

MOST_PROBLEMS = 100
"""Problems above the table that are written out; the rest is counted."""

_PLAIN = frozenset(" -/(),=;")
"""What begins nothing in a cell, besides letters and digits: no mark-up, no link, no mention, no emoji."""

_HEADERS = ("Artifact", "SHA-256", "Format", "Key", "Signer", "Certificate", "Timestamp", "Verdict", "Detail")


def summarize(*, command: str, verdict: str, rows: Sequence[Row], problems: Sequence[str]) -> str:
    """Return the summary of one step in Markdown, below the size that the runner takes."""
    head = [f"### hatch-sign {encode_cell(command)}: {encode_cell(verdict)}"]
    if problems:
        head += ["", *(f"- {encode_cell(problem)}" for problem in problems[:MOST_PROBLEMS])]
    if len(problems) > MOST_PROBLEMS:
        head.append(f"- and {len(problems) - MOST_PROBLEMS} more")
    if rows:
        head += ["", _line(_HEADERS), _line(["---"] * len(_HEADERS))]
    return _bounded("\n".join(head) + "\n", rows) + "\n"


def encode_cell(text: str) -> str:
    """Return `text` for a cell or an item: one line, and a numeric entity for each character that could be mark-up.

    The first one always is where it is no letter: with it a list, a heading or a rule could begin.
    """
    shown = display(text).strip()
    first = "" if shown[:1].isalpha() else "".join(f"&#{ord(character)};" for character in shown[:1])
    return first + "".join(_encode(character) for character in shown[1 if first else 0 :])


def _encode(character: str) -> str:
    safe = character in _PLAIN or (character.isalnum() if character.isascii() else True)
    return character if safe else f"&#{ord(character)};"


def _bounded(text: str, rows: Sequence[Row]) -> str:
    size, lines = len(text.encode()), [text]
    for number, row in enumerate(rows):
        line = _line([encode_cell(cell) for cell in _cells(row)]) + "\n"
        size += len(line.encode())
        if size > MOST_BYTES:
            lines.append(f"\n{len(rows) - number} more signatures are in the report.\n")
            break
        lines.append(line)
    return "".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (row.artifact, row.sha256, row.format, row.key, row.signer, row.certificate, row.time, row.verdict, row.detail)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
