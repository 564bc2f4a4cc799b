"""Elements of HTML and SVG whose text cannot become anything but text."""

from __future__ import annotations

from html import escape

from hatch_sign.values.display import display


class Markup(str):
    """Markup that this package wrote. Every other string is text, and is escaped where it becomes part of some."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return `value` as one line of text: without control or bidirectional characters, and with nothing special to HTML."""
    return Markup(escape(display(value)))


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element; children that are not Markup are text.

    Of an attribute's name, a trailing ``_`` is dropped and others become ``-``; one whose value is None is left out.
    """
    shown = "".join(f' {_name(key)}="{text(value)}"' for key, value in attributes.items() if value is not None)
    return Markup(f"<{name}{shown}>{join(*children)}</{name}>")


def void(name: str, /, **attributes: object) -> Markup:
    """Return an element that has no end tag in HTML."""
    return Markup(element(name, **attributes).removesuffix(f"</{name}>"))


def join(*children: str) -> Markup:
    """Return children one after another; those that are not Markup are text."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children))


def _name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")
