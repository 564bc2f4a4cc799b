"""The token over which a suite was started."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme

WRONG_PIN = "Wr0ng-1n"


@dataclass(frozen=True)
class GivenToken:
    """What a process has to know of a token that another one started; see ``running.py``."""

    pin: str
    so_pin: str
    algorithms: tuple[KeyAlgorithm, ...]
    unusable: tuple[KeyAlgorithm, ...]
    lacks: frozenset[Scheme]
    takes_threads: bool
    _reference: str

    def reference(self, key: str) -> str:
        """Return the URI of a key by its label."""
        return self._reference.replace("LABEL", key)

    def context(self, pin: str | None = None) -> RunContext:
        """Return a run that knows the PIN, or the one given; what warns is printed."""
        return RunContext({**os.environ, "HSM_PIN": pin or self.pin}, on_warning=print)


def given_token() -> GivenToken:
    """Return the token that the environment describes."""
    given = json.loads(os.environ["REAL_TOKEN"])
    return GivenToken(
        pin=given["pin"],
        so_pin=given["so-pin"],
        algorithms=tuple(map(KeyAlgorithm, given["algorithms"])),
        unusable=tuple(map(KeyAlgorithm, given["unusable"])),
        lacks=frozenset(scheme for scheme in Scheme if scheme.label in given["lacks"]),
        takes_threads=given["takes-threads"],
        _reference=given["reference"],
    )
