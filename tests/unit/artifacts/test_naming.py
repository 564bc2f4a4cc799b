"""Which file belongs to which artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_sign.artifacts.naming import is_signature_file, owner_of, sidecar_name, sidecars_of
from hatch_sign.registry import Registry

FORMATS = Registry().formats()


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("a.whl.sigstore.json", "sigstore"),
        ("a-1.0.intoto.sigstore.json", "statement"),
        ("SHA256SUMS", "checksums"),
        ("MY-SHA256SUMS", None),
        ("a.whl", None),
    ],
)
def test_the_longest_suffix_owns_a_name(name: str, owner: str | None) -> None:
    found = owner_of(name, FORMATS.values())
    assert (found.name if found else None) == owner
    assert is_signature_file(name, FORMATS.values()) == (owner is not None)


@pytest.mark.parametrize("signature", [None, "team", "a-1"])
def test_a_sidecar_is_found_again_by_the_name_it_was_given(signature: str | None) -> None:
    name = sidecar_name("a.whl", FORMATS["sigstore"], signature)
    names = sorted([name, "a.whl", "a.whl2.sigstore.json", "b.whl.sigstore.json", "a.whl.Bad Name.sigstore.json"])
    found = sidecars_of("a.whl", names, Path("dist"), FORMATS.values(), beside=names)
    assert [(sidecar.path, sidecar.signature) for sidecar in found] == [(Path("dist") / name, signature)]


def test_a_statement_is_no_sidecar_of_an_artifact_that_shares_its_start() -> None:
    names = ["a-1.0.intoto.sigstore.json"]
    assert sidecars_of("a-1.0", names, Path(), FORMATS.values(), beside=names) == []


def test_a_sidecar_belongs_to_the_artifact_with_the_longest_name() -> None:
    names = ["tool", "tool.exe", "tool.exe.sigstore.json", "tool.sigstore.json"]
    found = sidecars_of("tool", names, Path(), FORMATS.values(), beside=names)
    assert [sidecar.path.name for sidecar in found] == ["tool.sigstore.json"]
    found = sidecars_of("tool.exe", names, Path(), FORMATS.values(), beside=names)
    assert [sidecar.path.name for sidecar in found] == ["tool.exe.sigstore.json"]
