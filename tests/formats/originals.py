"""What is mutated: made once and kept here, so that a run of the tests is like the one before.

Signatures with fresh keys differ in every byte and by a byte or two in length, so the same seed would be another mutation.
With HATCH_SIGN_SEED=random each run makes its own; ``HATCH_SIGN_SEED=random python -m tests.formats.originals`` writes
``originals.json`` anew. There is no private key in it.
"""

from __future__ import annotations

import base64
import importlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .mutating import IS_RANDOM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FILE = Path(__file__).with_name("originals.json")
_MAKERS = (
    "tests.formats.test_cms_mutations",
    "tests.formats.test_rfc3161_mutations",
    "tests.unit.trust.test_revocation_mutations",
)
"""Modules with a function `make_originals` and the name of what it makes, `ORIGINALS_OF`."""


def originals(name: str, make: Callable[[], Mapping[str, bytes]]) -> Mapping[str, bytes]:
    """Return the values kept under `name`, or those that `make` makes where each run is to differ from the last."""
    return make() if IS_RANDOM else _kept()[name]


@cache
def _kept() -> dict[str, dict[str, bytes]]:
    tables: dict[str, dict[str, str]] = json.loads(_FILE.read_bytes())
    return {name: {key: base64.b64decode(value) for key, value in table.items()} for name, table in tables.items()}


def _main() -> None:
    tables = {}
    for name in _MAKERS:
        module = importlib.import_module(name)
        made: Mapping[str, bytes] = module.make_originals()
        tables[module.ORIGINALS_OF] = {key: base64.b64encode(value).decode() for key, value in made.items()}
    _FILE.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
