"""Which identities a rule means: one, or those that differ after the last ``@`` only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

LONGEST = 2048
"""Characters of an identity; Fulcio certifies no longer ones."""

_FREE = r"[A-Za-z0-9._/-]+"
"""What a ``*`` stands for: no ``@``, and nothing that ends a path, begins a query or is written in two ways."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """The identities that a rule trusts; `text` is as the rule has it."""

    text: str
    pattern: re.Pattern[str] | None = None

    def matches(self, identity: str) -> bool:
        """Return whether the rule means this identity, in time that grows with its length alone."""
        if self.pattern is None:
            return identity == self.text
        climbs = ".." in identity.rpartition("@")[2]
        return len(identity) <= LONGEST and not climbs and self.pattern.fullmatch(identity) is not None


def exact_identity(text: str) -> Matcher:
    """Return the matcher of one identity. Raises ConfigurationError for one with a ``*``, which would match itself only."""
    if "*" in text:
        message = f"`identity` is '{display(text)}', and stands for itself alone, its `*` too"
        raise ConfigurationError(message, remedy="write `identity-pattern` instead")
    return Matcher(text)


def identity_pattern(text: str) -> Matcher:
    """Return the matcher of a pattern.

    Each ``*`` stands for one or more of ``A-Z a-z 0-9 . _ / -`` without ``..``. Raises ConfigurationError unless the pattern
    is an https address with an ``@``, and each ``*`` comes after the last of them: before it, a stranger's repository or
    workflow would match.
    """
    place, at, reference = text.rpartition("@")
    if not at or "*" in place or not place.startswith("https://"):
        message = f"`identity-pattern` is '{display(text)}', expected an https address with `*` after its last `@` only"
        remedy = "write, for instance, `https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/tags/*`"
        raise ConfigurationError(message, remedy=remedy)
    first, *others = reference.split("*")
    if not others:
        message = f"`identity-pattern` is '{display(text)}', which has no `*`"
        raise ConfigurationError(message, remedy="write `identity` instead")
    if "**" in reference or ".." in reference or len(text) > LONGEST:
        message = f"`identity-pattern` is '{display(text)}', which holds `**` or `..`, or more than {LONGEST} characters"
        raise ConfigurationError(message, remedy="write one `*` for whatever is free")
    # The first place where what follows a star fits is as good as any later one, so none is ever tried again.
    middle = "".join(f"(?>{_FREE}?{re.escape(piece)})" for piece in others[:-1])
    return Matcher(text, re.compile(re.escape(f"{place}@{first}") + middle + _FREE + re.escape(others[-1])))
