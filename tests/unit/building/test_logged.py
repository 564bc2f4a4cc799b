"""A build asks logs for what it signs itself, and not for what is left to `hatch-sign sign`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatch_sign.building.signing import prepare
from hatch_sign.registry import Registry

CONFIGURATION = """\
key = "emulated:test"
formats = [{formats}]
log = ["https://rekor.example"]

[verify]
trusted-root = "root.json"
"""


@pytest.mark.parametrize(
    ("formats", "kept", "log"),
    [
        (("statement", "sigstore"), ("sigstore",), ("https://rekor.example",)),
        (("statement", "cms"), ("cms",), ()),
    ],
)
def test_a_log_is_for_what_the_build_signs(
    formats: tuple[str, ...], kept: tuple[str, ...], log: tuple[str, ...], tmp_path: Path
) -> None:
    listed = ", ".join(f'"{name}"' for name in formats)
    (tmp_path / "hatch-sign.toml").write_text(CONFIGURATION.format(formats=listed))
    prepared = prepare(tmp_path, tmp_path, {}, Registry(), datetime(2026, 2, 3, tzinfo=UTC))
    assert prepared.deferred == ("statement",)
    assert [(settings.formats, settings.log) for settings in prepared.configuration.signatures] == [(kept, log)]
