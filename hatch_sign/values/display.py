"""Text that came from a file, made safe to show."""

from __future__ import annotations

import re
import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, change direction, hide, or mean nothing agreed."""

LONGEST = 500
"""Characters of one value that are shown; the rest becomes an ellipsis."""


_COMMAND = re.compile(r"\A\s*:(?=:.*::)|#(?=#(?:\[|vso\[))")
"""How lines begin, or what they hold, that GitHub Actions and Azure Pipelines take for a command to them."""


def display(text: object) -> str:
    r"""Return `text` with control, bidirectional, ANSI and unassigned characters written as ``\x1b`` or ``\u202e``.

    The result is one line of at most about 500 characters, and no command to the service that runs a build and reads what
    it prints, such as ``::add-mask::``. Bytes that were not UTF-8 (surrogate escapes) are escaped.
    """
    shown = str(text)
    clipped = shown[:LONGEST] + "…" if len(shown) > LONGEST else shown
    if not (clipped.isascii() and clipped.isprintable()):
        clipped = "".join(_escape(character) for character in clipped)
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", clipped)


def display_json(document: object, *, indent: int | None = None) -> str:
    r"""Return `document` as ASCII JSON for standard output, in which ``##`` is ``#\u0023``.

    Programs read the same from it, and a service that runs a build no command such as ``##vso[``.
    """
    import json  # noqa: PLC0415 - for those who print documents

    return json.dumps(document, indent=indent).replace("##", r"#\u0023")


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - the escape's digits
