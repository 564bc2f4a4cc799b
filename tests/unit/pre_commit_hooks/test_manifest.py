"""The manifest names modules that are there, and keeps the repository that is checked off their path."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

MANIFEST = (Path(__file__).resolve().parents[3] / ".pre-commit-hooks.yaml").read_text("utf-8")


def test_each_hook_is_a_module_with_a_main() -> None:
    ids = re.findall(r"^- id: (.+)$", MANIFEST, re.MULTILINE)
    entries = re.findall(r"^  entry: python -I -m (.+)$", MANIFEST, re.MULTILINE)
    assert ids == ["hatch-sign-config", "hatch-sign-secrets", "hatch-sign-release"]
    assert len(entries) == len(ids)
    for name, module in zip(ids, entries, strict=True):
        assert module.endswith(name.rpartition("-")[2])
        assert callable(importlib.import_module(module).main)


def test_a_hook_that_is_given_no_file_is_given_none() -> None:
    release = MANIFEST.partition("- id: hatch-sign-release")[2]
    assert "always_run: true" in release
    assert "pass_filenames: false" in release
    assert "stages: [pre-push, manual]" in release


def test_a_file_cannot_be_named_so_that_the_search_for_secrets_is_off() -> None:
    assert "  args: [--]" in MANIFEST.partition("- id: hatch-sign-secrets")[2].partition("- id: ")[0]


def test_the_configuration_is_looked_for_at_the_top() -> None:
    (pattern,) = re.findall(r"^  files: (.+)$", MANIFEST, re.MULTILINE)
    assert [
        name
        for name in ("pyproject.toml", "hatch-sign.toml", "sub/pyproject.toml", "pyproject_toml")
        if re.search(pattern, name)
    ] == [
        "pyproject.toml",
        "hatch-sign.toml",
    ]
