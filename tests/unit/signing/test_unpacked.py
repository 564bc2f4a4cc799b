"""Archives are read as a whole before anything in them is signed, and held against that once they are written anew."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from hatch_sign.archives.zip_rewriting import rewrite
from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.configuration.model import Configuration
from hatch_sign.signing import contents
from hatch_sign.signing.plan import plan_release
from hatch_sign.signing.unpacked import unpack_archive
from hatch_sign.values.errors import MalformedError, SigningError

from ...contract.sketch_plugins import sketch_registry
from ..archives.wheels import NAME, contents_of, make_wheel
from .inside import BOXES, MEMBERS, SIGNED, TOP, sign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    from hatch_sign.archives.packing import Packed
    from hatch_sign.archives.shared_stream import SharedStream
    from hatch_sign.archives.zip_layout import ZipLayout
    from hatch_sign.signing.planned import PlannedContents

TIME_BEFORE_NAME = 20
"""How far before the name of a member its own header has the time, which nothing else is held against."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / NAME).write_bytes(make_wheel(MEMBERS, stored=["app/not.box"]))
    return tmp_path / "dist"


def plan(folder: Path) -> tuple[PlannedContents, ...]:
    registry = sketch_registry()
    configuration = Configuration(path=None, directory=folder, signatures=(TOP,), contents=BOXES)
    return plan_release(configuration, find_artifacts([folder], registry.formats().values()), registry).contents


def damage(path: Path) -> None:
    """Change the RECORD of a wheel so that it is still well-formed, and wrong."""
    path.write_bytes(make_wheel(MEMBERS, record=make_record_of_others()))


def make_record_of_others() -> bytes:
    with zipfile.ZipFile(io.BytesIO(make_wheel({**MEMBERS, "app/__init__.py": b"other"}))) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("RECORD")))


def test_an_archive_is_lent_with_what_may_be_signed_of_it(folder: Path) -> None:
    (planned,) = plan(folder)
    with unpack_archive(planned) as unpacked:
        found = {
            member.name: unpacked.scratch.read_at(unpacked.places[member.name], member.size) for member in unpacked.chosen
        }
        assert found == {name: MEMBERS[name] for name in (*SIGNED, "app/not.box")}
        assert unpacked.contents.keys() == contents_of(planned.artifact.path).keys()
    with pytest.raises(ValueError, match="closed"):
        unpacked.archive.stream.read_at(0, 1)
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_one_whose_record_is_wrong_is_refused_by_its_name(folder: Path) -> None:
    damage(folder / NAME)
    (planned,) = plan(folder)
    with pytest.raises(MalformedError, match="another digest or size") as refused:
        unpack_archive(planned).__enter__()
    assert refused.value.message.startswith(NAME)
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize("part", ["header", "content"])
def test_an_unchanged_member_that_was_not_copied_as_it_was_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    before = (folder / NAME).read_bytes()

    def rewrite_wrongly(
        archive: SharedStream, layout: ZipLayout, changed: Mapping[str, Packed], scratch: SharedStream, target: BinaryIO
    ) -> None:
        rewrite(archive, layout, changed, scratch, target)
        assert "app/not.box" not in changed
        target.seek(0)
        written = target.read()
        at = written.index(MEMBERS["app/not.box"]) if part == "content" else written.index(b"app/not.box") - TIME_BEFORE_NAME
        target.seek(at)
        target.write(bytes([written[at] ^ 1]))

    monkeypatch.setattr(contents, "rewrite", rewrite_wrongly)
    report = sign(folder)
    with pytest.raises(SigningError, match="what was written is not what was signed"):
        report.raise_failure()
    assert (folder / NAME).read_bytes() == before
