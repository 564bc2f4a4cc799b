"""The drawing of one chain of trust: steps from top to bottom, and beside them what vouches for the time. Inline SVG.

Lengths are in units of the drawing, which is shown about as wide as a phone: its text stays readable there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hatch_sign.reporting.markup import element, join
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.reporting.markup import Markup
    from hatch_sign.reporting.model import ChainEntry, Node

_WIDTH = 344
_LEFT = 18
"""Where boxes begin; left of it runs the line to the witnesses."""

_TEXT_LEFT = _LEFT + 10
_COLUMNS = 44
"""Characters of the fixed-width font that fit into a box."""

_LINES = 3
"""Lines that one value may take; the tables beside the drawing have it whole."""

_TITLE_HEIGHT, _LINE_HEIGHT, _PADDING, _GAP = 18, 15, 8, 34


def draw_chain(chain: ChainEntry) -> Markup:
    """Return the drawing, which says the same in words to those who cannot see it."""
    steps = [node for node in chain.nodes if node.kind != "witness"]
    witnesses = [node for node in chain.nodes if node.kind == "witness"]
    boxes: list[Markup] = []
    tops: dict[int, int] = {}
    y = 1
    for node in (*steps, *witnesses):
        if boxes:
            boxes.append(_arrow(y, node.how) if node.kind != "witness" else join())
            y += _GAP
        tops[id(node)] = y
        box, height = _box(node, y)
        boxes.append(box)
        y += height
    signature = next(tops[id(node)] for node in steps if node.kind == "signature")
    branches = [_branch(signature, tops[id(node)], node.how) for node in witnesses]
    label, words = f"chain-{chain.number}-title", f"chain-{chain.number}-words"
    return element(
        "svg",
        element("title", "The chain of trust, drawn", id=label),
        element("desc", *_in_words(chain.nodes), id=words),
        *branches,
        *boxes,
        role="img",
        aria_labelledby=f"{label} {words}",
        viewBox=f"0 0 {_WIDTH} {y + 1}",
    )


def _in_words(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        yield f"{node.how} {node.title}: ".lstrip()
        for line in node.lines:
            yield line
            yield "; "


def _box(node: Node, y: int) -> tuple[Markup, int]:
    lines = [wrapped for line in node.lines for wrapped in wrap(line)]
    height = 2 * _PADDING + _TITLE_HEIGHT + _LINE_HEIGHT * len(lines) - 2
    frame = element(
        "rect",
        class_=f"box {node.kind}",
        x=_LEFT,
        y=y,
        width=_WIDTH - _LEFT - 2,
        height=height,
        rx=0 if node.kind == "refusal" else 5,
    )
    title = element("text", node.title, class_="title", x=_TEXT_LEFT, y=y + _PADDING + 12)
    first = y + _PADDING + 12 + _TITLE_HEIGHT
    texts = [element("text", line, x=_TEXT_LEFT, y=first + _LINE_HEIGHT * number) for number, line in enumerate(lines)]
    return element("g", frame, title, *texts), height


def _arrow(y: int, how: str) -> Markup:
    """Draw an arrow that ends in the gap below `y`, with its meaning beside it."""
    x, end = _LEFT + 24, y + _GAP
    shaft = element("path", class_="arrow", d=f"M{x} {y}V{end - 8}")
    head = element("path", class_="head", d=f"M{x - 5} {end - 9}h10l-5 8z")
    return element("g", shaft, head, element("text", how, class_="how", x=x + 14, y=y + _GAP // 2 + 4))


def _branch(signature: int, witness: int, how: str) -> Markup:
    """Draw the line from the signature round to a witness."""
    begin, end = signature + 16, witness + 16
    line = element("path", class_="arrow", d=f"M{_LEFT} {begin}H5V{end}H{_LEFT - 8}")
    head = element("path", class_="head", d=f"M{_LEFT - 9} {end - 5}v10l8 -5z")
    return element("g", line, head, element("text", how, class_="how", x=_LEFT, y=witness - 6))


def wrap(value: str) -> list[str]:
    """Return a value as lines that fit into a box, broken at spaces where that is possible; what is left out is marked.

    The value is made safe to show before it is measured.
    """
    rest = display(value)
    lines: list[str] = []
    while rest and len(lines) < _LINES:
        count = _fitting(rest)
        space = rest.rfind(" ", 0, count)
        if count < len(rest) and space > _COLUMNS // 2:
            count = space + 1
        lines.append(rest[:count].rstrip())
        rest = rest[count:]
    if rest:
        lines[-1] = lines[-1][: _fitting(lines[-1], _COLUMNS - 1)] + "…"
    return lines


def _fitting(value: str, columns: int = _COLUMNS) -> int:
    """Return how many characters from the start fit; those of East Asian scripts are twice as wide, and one always fits."""
    used = 0
    for count, character in enumerate(value):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return max(count, 1)
    return len(value)
