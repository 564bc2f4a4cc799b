"""What goes to an index in one request: a distribution, and the attestations over it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.publishers.index.silence import silence
from hatch_sign.publishers.index.translate import metadata_error
from hatch_sign.publishers.reading import verified_stream
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twine.package import PackageFile

    from hatch_sign.contract import ReleaseFile

_DISTRIBUTIONS = (".whl", ".tar.gz")
_ATTESTATION = ".attestation"
_LARGEST_ATTESTATION = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """One upload. `package` is twine's view of the distribution, with the attestations in it."""

    file: ReleaseFile
    attestations: tuple[ReleaseFile, ...]
    package: PackageFile

    @property
    def envelopes(self) -> list[Mapping[str, Any]]:
        """The signed part of each attestation."""
        attestations: Sequence[Any] = self.package.attestations or ()
        return [attestation["envelope"] for attestation in attestations]


def is_distribution(file: ReleaseFile) -> bool:
    """Return whether a file is a wheel, or an sdist as PEP 625 names it."""
    return file.format is None and file.name.endswith(_DISTRIBUTIONS)


def is_attestation(file: ReleaseFile) -> bool:
    """Return whether a file is an attestation over one distribution (PEP 740)."""
    artifact = file.artifact or ""
    return file.name.endswith(_ATTESTATION) and file.name.startswith(artifact) and artifact.endswith(_DISTRIBUTIONS)


def pack(distributions: Iterable[ReleaseFile], attestations: Iterable[ReleaseFile], *, comment: str | None) -> list[Parcel]:
    """Return a parcel for each distribution, with all attestations over it; every file is read, and nothing is sent.

    Raises RejectedError where the bytes are not those that were verified, MalformedError for metadata that cannot be sent.
    """
    over: dict[str, list[ReleaseFile]] = {}
    for each in sorted(attestations, key=lambda file: file.name):
        over.setdefault(each.artifact or "", []).append(each)
    return [_pack(file, over.get(file.name, ()), comment) for file in distributions]


def _pack(file: ReleaseFile, attestations: Sequence[ReleaseFile], comment: str | None) -> Parcel:
    package = _read_package(file, comment)
    if package.sha2_digest != file.sha256.hex():
        message = f"{display(file.name)} changed after it was verified, and is not published"
        raise RejectedError(message, remedy="find out what writes to it, then run again")
    package.basefilename = file.name
    if attestations:
        package.attestations = [_read_attestation(each) for each in attestations]
    return Parcel(file, tuple(attestations), package)


def _read_package(file: ReleaseFile, comment: str | None) -> PackageFile:
    from twine.package import PackageFile  # noqa: PLC0415 - an extra, loaded by now

    try:
        with silence():
            return PackageFile.from_filename(str(file.path), comment)
    except Exception as error:  # noqa: BLE001 - archives and their metadata are read by several libraries
        raise metadata_error(error, file) from None


def _read_attestation(file: ReleaseFile) -> dict[Any, str]:
    content = bytearray()
    if file.size <= _LARGEST_ATTESTATION:
        with verified_stream(file) as stream:
            while piece := stream.read():
                content += piece
    try:
        attestation: dict[Any, Any] = json.loads(content)
        attestation["envelope"]["statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"{display(file.name)} is no attestation: it lacks an envelope with a statement (PEP 740)"
        raise MalformedError(message) from None
    return attestation
