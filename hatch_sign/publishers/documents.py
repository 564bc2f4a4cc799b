"""JSON that the place at the other end wrote: read whole, in memory that is bounded as its bytes are."""

from __future__ import annotations

import json
from typing import Any

MOST_VALUES = 4_000_000
"""Values in one document. One byte can ask for thirty: 64 MiB of ``{},`` would take more than a gigabyte and a half."""


def load_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value in `data`, in UTF-8. Raises ValueError for what is none, is too deep, or holds too many values."""
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        message = "too many values"
        raise ValueError(message)
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except RecursionError:
        message = "too deep"
        raise ValueError(message) from None
