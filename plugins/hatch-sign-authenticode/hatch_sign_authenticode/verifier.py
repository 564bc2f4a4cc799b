"""Checks the signatures inside a PE file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.contract.formats import Finding
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.values.public_keys import PublicKey


class AuthenticodeVerifier:
    """A :class:`~hatch_sign.contract.EmbeddedVerifier`."""

    def check(self, name: str, source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
        """Check every signature in `source`. Never raises."""
        del name, source, keys
        return Finding(problem=Verdict.NOT_APPLICABLE)
