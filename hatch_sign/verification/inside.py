"""What is inside wheels and zip applications: each file held against RECORD, each binary's signatures found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from hatch_sign.archives.opened import OpenArchive, in_batches, open_archive
from hatch_sign.artifacts.parallel import READERS, map_in_threads
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.verification.embedded import check_embedded

if TYPE_CHECKING:
    from typing import BinaryIO

    from hatch_sign.archives.zip_layout import ZipMember
    from hatch_sign.artifacts.discovery import Artifact
    from hatch_sign.configuration.model import ContentsSettings
    from hatch_sign.contract import Finding, Format
    from hatch_sign.values.public_keys import PublicKey

_IN_MEMORY = 4 << 20
"""Bytes of a member beyond which it is unpacked into a file: several are checked at once."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What one format found in one member."""

    member: str
    format: Format
    finding: Finding


def find_inside(
    artifact: Artifact,
    contents: ContentsSettings,
    formats: Sequence[Format],
    keys: Sequence[PublicKey],
    *,
    members_checked: bool = False,
) -> list[Inside]:
    """Return what each of the embedded `formats` finds in each member that `contents` covers, in the archive's order.

    Members that a format has no say in are left out. Every file of the archive is read and checked, those that `contents`
    does not cover unless all are `members_checked` already. Raises MalformedError where the archive is not well-formed, or
    its RECORD is wrong, HatchSignError where the disk fails or is full.
    """
    try:
        return _find_inside(artifact, contents, formats, keys, members_checked=members_checked)
    except OSError as error:
        message = f"{display(artifact.path)}: what is inside cannot be read or unpacked: {error.strerror}"
        raise HatchSignError(message, remedy="free space for temporary files, or check the disk, then run again") from None


def _find_inside(
    artifact: Artifact,
    contents: ContentsSettings,
    formats: Sequence[Format],
    keys: Sequence[PublicKey],
    *,
    members_checked: bool,
) -> list[Inside]:
    with open_artifact(artifact.path) as stream:
        archive = open_archive(artifact.name, stream)
        covered = {name for name in archive.layout.files if contents.covers(name)}
        order = {member.name: number for number, member in enumerate(archive.layout.members)}

        def look(member: ZipMember) -> list[Inside]:
            if member.name in covered:
                return list(_look_into(archive, member, formats, keys))
            if not members_checked:
                archive.check(member)
            return []

        def look_into_all(batch: Sequence[ZipMember]) -> list[Inside]:
            return [inside for member in batch for inside in look(member)]

        found = map_in_threads(look_into_all, in_batches(archive), threads=READERS)
    return sorted((inside for each in found for inside in each), key=lambda inside: order[inside.member])


def _look_into(
    archive: OpenArchive, member: ZipMember, formats: Sequence[Format], keys: Sequence[PublicKey]
) -> Iterator[Inside]:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as unpacked:
        archive.check(member, lambda _, data: unpacked.write(data))
        for format_ in formats:
            finding = check_embedded(format_, member.name, cast("BinaryIO", unpacked), keys)
            if finding.problem is not Verdict.NOT_APPLICABLE:
                yield Inside(member.name, format_, finding)
