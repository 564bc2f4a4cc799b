"""The format ``pep740``. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import Format


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register it."""
    raise NotImplementedError
