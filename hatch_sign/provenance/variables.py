"""Variables of a build service, each held against the form that the service gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1024
"""Characters of one variable; services set shorter ones."""

ADDRESS = r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/\-]*)?"
"""An address without credentials, query or fragment."""
COMMIT = r"[0-9a-f]{40}|[0-9a-f]{64}"
"""The id of a git commit, by SHA-1 or SHA-256."""
NUMBER = r"[0-9]{1,20}"
REFERENCE = r"refs/[^\s~^:?*\[\\]+"
"""A whole git reference, such as ``refs/tags/v1.0`` (git-check-ref-format)."""
WORD = r"[A-Za-z0-9._\-]+"
TEXT = r".+"
"""Any one line of what can be printed: names that people give."""
INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


@dataclass(frozen=True, slots=True)
class Variables:
    """The environment, of which only what is asked for by name is read."""

    environ: Mapping[str, str]

    def is_true(self, name: str) -> bool:
        """Return whether the variable is ``true``, as build services mark their jobs."""
        return self.environ.get(name) == "true"

    def has(self, *names: str) -> bool:
        """Return whether each of the variables is set, and not empty."""
        return all(self.environ.get(name) for name in names)

    def get(self, name: str, form: str) -> str:
        """Return the variable, empty where it is not set.

        Raises ConfigurationError where it is not wholly of the regular expression `form`, cannot be printed, or is longer
        than :data:`LONGEST`.
        """
        value = self.environ.get(name, "")
        if not value or (len(value) <= LONGEST and value.isprintable() and re.fullmatch(form, value)):
            return value
        message = f"the environment variable {name} is not of the form that the build service gives it"
        raise ConfigurationError(message, remedy="leave it as the service sets it, or set `provenance` to never")

    def instant(self, name: str) -> datetime | None:
        """Return a time in UTC, None where it is not set. Raises ConfigurationError as :meth:`get`."""
        value = self.get(name, INSTANT)
        try:
            return datetime.fromisoformat(value) if value else None
        except ValueError:
            message = f"the environment variable {name} is no time"
            raise ConfigurationError(message, remedy="leave it as the service sets it") from None
