"""The order in which a release becomes visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.publishers.order import signatures_first

from .release_files import IN_ORDER, release

if TYPE_CHECKING:
    from pathlib import Path


def test_signatures_come_first_then_what_covers_many_then_artifacts(tmp_path: Path) -> None:
    files = release(tmp_path)
    assert [file.name for file in signatures_first(files)] == IN_ORDER
    assert [file.name for file in signatures_first(reversed(files))] == IN_ORDER
