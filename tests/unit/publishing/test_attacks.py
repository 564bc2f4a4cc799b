"""What must not get out, tried through the whole of publishing: what nobody judged, and places that others write to."""

from __future__ import annotations

import hashlib
import json
import sys
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from hatch_sign.values.errors import HatchSignError

from .releases import STRANGER, TRUSTING, Place, Project, bundle_over

if TYPE_CHECKING:
    from pathlib import Path

_ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def listed(project: Project, *, signed_by: dict[str, int]) -> None:
    """Write a list over one artifact, with these signatures over the list."""
    data = b"listed"
    project.add("a.bin", data)
    lines = f"{hashlib.sha256(data).hexdigest()}  a.bin\n".encode()
    (project.dist / "SHA256SUMS").write_bytes(lines)
    for name, which in signed_by.items():
        (project.dist / name).write_bytes(bundle_over("SHA256SUMS", lines, which=which))


def test_a_stranger_s_signature_over_a_list_is_not_published_beside_a_good_one(project: Project) -> None:
    listed(project, signed_by={"SHA256SUMS.sigstore.json": 0, "SHA256SUMS.second.sigstore.json": STRANGER})
    place = Place()
    report = project.publish(place)
    assert report.exit_code == 0
    assert {"SHA256SUMS", "SHA256SUMS.sigstore.json"} <= place.kept.keys()
    assert [(each.name, each.reason.split(":")[0]) for each in report.withheld] == [
        ("SHA256SUMS.second.sigstore.json", "it is untrusted")
    ]
    assert "SHA256SUMS.second.sigstore.json" not in place.kept


def test_a_list_by_a_stranger_alone_stays_here_with_its_signature(project: Project) -> None:
    listed(project, signed_by={"SHA256SUMS.sigstore.json": STRANGER})
    place = Place()
    report = project.publish(place)
    assert sorted(place.kept) == ["a.bin", "a.bin.sigstore.json"]
    assert {each.name for each in report.withheld} == {"SHA256SUMS", "SHA256SUMS.sigstore.json"}


def second_of(bundle: bytes) -> bytes:
    """Return the bundle with the other signature that everybody can make of one by ECDSA: n - s in the place of s."""
    document = json.loads(bundle)
    r, s = decode_dss_signature(b64decode(document["messageSignature"]["signature"]))
    other = encode_dss_signature(r, _ORDER_OF_P256 - s)
    document["messageSignature"]["signature"] = b64encode(other).decode()
    return json.dumps(document).encode()


TWO = """
[[signature]]
name = "first"
key = "emulated:one"
formats = ["sigstore"]
[[signature]]
name = "second"
key = "emulated:two"
formats = ["sigstore"]
[verify]
require = ["first", "second"]
[[verify.trust]]
public-key = "release.pub"
"""


@pytest.mark.parametrize("made_by", ["copying", "negating", "signing"])
def test_one_signature_does_not_stand_for_two(project: Project, made_by: str) -> None:
    path = project.add("a.bin", signed_by=None)
    one = bundle_over("a.bin", path.read_bytes())
    second = {"copying": one, "negating": second_of(one), "signing": bundle_over("a.bin", path.read_bytes())}[made_by]
    path.with_name("a.bin.first.sigstore.json").write_bytes(one)
    path.with_name("a.bin.second.sigstore.json").write_bytes(second)
    place = Place()
    report = project.publish(place, configuration=project.configure(TWO))
    passed = made_by == "signing"
    assert (report.exit_code, bool(place.calls)) == (0 if passed else 1, passed)
    details = [outcome.detail for outcome in report.artifacts[0].outcomes]
    assert ("a copy of the signature in a.bin.first.sigstore.json" in details) is not passed


def test_a_folder_of_signatures_that_is_written_with_dots_is_copied_inside(project: Project, temporary: Path) -> None:
    path = project.add("a.bin")
    aside = project.folder.parent / "aside"
    aside.mkdir()
    path.with_name("a.bin.sigstore.json").rename(aside / "a.bin.sigstore.json")
    dots = project.dist / ".." / ".." / "aside"
    configuration = replace(project.configure(TRUSTING), output_directory=dots)
    places: list[Path] = []
    place = Place(during=lambda file: places.append(file.path.resolve()))
    assert project.publish(place, configuration=configuration).exit_code == 0
    (own,) = {temporary / each.relative_to(temporary).parts[0] for each in places}
    assert own.name.startswith("hatch-sign-")
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
@pytest.mark.parametrize(("mode", "fits"), [(0o777, False), (0o1777, True), (0o700, True)])
def test_no_copy_is_made_where_everybody_may_put_another_in_its_place(
    project: Project, temporary: Path, mode: int, *, fits: bool
) -> None:
    project.add("a.bin")
    temporary.chmod(mode)
    place = Place()
    if fits:
        assert project.publish(place).exit_code == 0
        return
    with pytest.raises(HatchSignError, match=r"everybody may rename.*set TMPDIR"):
        project.publish(place)
    assert (place.calls, list(temporary.iterdir())) == ([], [])
