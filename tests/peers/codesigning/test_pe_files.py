"""LIEF and osslsigncode read every PE file of the corpus as the plugin does, and write them byte for byte alike."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign_authenticode.pe import (
    PEFile,
    compute_checksum,
    digest,
    page_hashes,
    parse_pe,
    read_signatures,
    write_signatures,
)
from tests.peers import rigs
from tests.peers.codesigning import corpus, programs
from tests.unit.authenticode.images import SEQUENCE, make_image

if TYPE_CHECKING:
    from tests.authority import HolderFiles

MACHINES = {0x14C, 0x8664, 0xAA64}


def parsed(image: bytes) -> tuple[io.BytesIO, PEFile]:
    stream = io.BytesIO(image)
    return stream, parse_pe(stream)


def written(image: bytes, *signatures: bytes) -> bytes:
    target = io.BytesIO()
    stream, pe = parsed(image)
    write_signatures(stream, target, pe, signatures)
    return target.getvalue()


def names_where_not(samples: Iterable[corpus.PeSample], holds: Callable[[bytes], bool]) -> list[str]:
    return [sample.name for sample in samples if not holds(sample.load())]


@pytest.fixture(scope="module")
def samples() -> list[corpus.PeSample]:
    samples = corpus.pe_files()
    assert len(samples) >= 60
    assert {parsed(sample.load())[1].machine for sample in samples} == MACHINES
    return samples


@pytest.fixture(scope="module")
def lief() -> Any:  # noqa: ANN401 - it comes without types
    module = rigs.require_module("lief")
    module.logging.disable()
    return module


def test_lief_finds_the_same(samples: list[corpus.PeSample], lief: Any) -> None:  # noqa: ANN401 - as above
    def agrees(image: bytes) -> bool:
        binary = lief.PE.parse(image)
        stream, pe = parsed(image)
        digests = {
            digest(stream, pe, "sha256"): bytes(binary.authentihash(lief.PE.ALGORITHMS.SHA_256)),
            digest(stream, pe, "sha384"): bytes(binary.authentihash(lief.PE.ALGORITHMS.SHA_384)),
        }
        theirs = [bytes(each.raw_der) for each in binary.signatures]  # With the padding of the table.
        ours = read_signatures(stream, pe)
        return (
            all(left == right for left, right in digests.items())
            and compute_checksum(stream, pe) == binary.compute_checksum()
            and [each.rstrip(b"\0") for each in ours] == [each.rstrip(b"\0") for each in theirs]
        )

    assert names_where_not(samples, agrees) == []
    assert names_where_not(corpus.vendor_signed(), lambda image: bool(lief.PE.parse(image).signatures)) == []


def test_lief_tells_a_changed_file_apart(samples: list[corpus.PeSample], lief: Any) -> None:  # noqa: ANN401 - as above
    image = samples[0].load()
    stream, pe = parsed(image)
    at = pe.content_end - 1
    changed = image[:at] + bytes([image[at] ^ 1]) + image[at + 1 :]
    assert digest(stream, pe, "sha256") != bytes(lief.PE.parse(changed).authentihash(lief.PE.ALGORITHMS.SHA_256))


def test_lief_finds_the_checksum_of_a_written_file_right(
    samples: list[corpus.PeSample],
    lief: Any,  # noqa: ANN401 - as above
) -> None:
    def agrees(image: bytes) -> bool:
        signed = written(image, SEQUENCE)
        return bool(parsed(signed)[1].checksum == lief.PE.parse(signed).compute_checksum())

    assert names_where_not(samples, agrees) == []


class Rival:
    """Osslsigncode, which signs with page hashes and removes what it signed."""

    def __init__(self, folder: Path, signer: HolderFiles) -> None:
        self._folder, self._signer = folder, signer

    def sign(self, image: bytes, *arguments: str) -> bytes:
        source, target = self._paths(image)
        programs.osslsigncode_sign(source, target, self._signer, *arguments)
        return target.read_bytes()

    def remove(self, image: bytes) -> bytes:
        source, target = self._paths(image)
        programs.demand(programs.osslsigncode("remove-signature", "-in", source, "-out", target))
        return target.read_bytes()

    def agrees(self, image: bytes, *arguments: str) -> bool:
        """Return whether a file that it signed, and one whose signature it removed, are what the plugin writes."""
        signed = self.sign(image, *arguments)
        stream, pe = parsed(image)
        (signature,) = read_signatures(*parsed(signed))
        return (
            digest(stream, pe, "sha256") in signature
            and (page_hashes(stream, pe, "sha256") in signature) == ("-ph" in arguments)
            and written(image, signature) == signed
            and written(signed) == self.remove(signed)
        )

    def _paths(self, image: bytes) -> tuple[Path, Path]:
        source, target = self._folder / "source.exe", self._folder / "target.exe"
        source.write_bytes(image)
        target.unlink(missing_ok=True)  # It writes over no file.
        return source, target


@pytest.fixture
def rival(tmp_path: Path, signer_files: HolderFiles) -> Rival:
    return Rival(tmp_path, signer_files)


def test_osslsigncode_writes_the_same(samples: list[corpus.PeSample], rival: Rival) -> None:
    programs.need_osslsigncode(2, 9)  # 2.5 corrupts its memory over the pages of some of them.
    assert names_where_not(samples, lambda image: rival.agrees(image, "-ph")) == []


@pytest.mark.parametrize("appended", [b"", b"odd", b"appended to fill it up.."])
def test_osslsigncode_writes_small_images_the_same(rival: Rival, appended: bytes) -> None:
    image = make_image(sections=(bytes(9000), b"", b"data"), appended=appended)
    assert rival.agrees(image, "-ph")
    assert rival.agrees(image)
    other = rival.sign(image[:600] + b"\1" + image[601:])
    stream, pe = parsed(image)
    assert digest(stream, pe, "sha256") not in read_signatures(*parsed(other))[0]


def test_launchers_with_an_archive_still_hold_it_once_signed(rival: Rival) -> None:
    """As installers of wheels write them: the launcher, the line that names Python, the archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("__main__.py", "print('started')")
    behind = b"#!C:\\Python\\python.exe\r\n" + archive.getvalue()

    def holds(launcher: bytes) -> bool:
        (signature,) = read_signatures(*parsed(rival.sign(launcher + behind)))
        with zipfile.ZipFile(io.BytesIO(written(launcher + behind, signature))) as zipped:
            return rival.agrees(launcher + behind) and zipped.read("__main__.py") == b"print('started')"

    assert len(corpus.launchers()) >= 12
    assert names_where_not(corpus.launchers(), holds) == []
    assert not zipfile.is_zipfile(io.BytesIO(written(corpus.launchers()[0].load(), SEQUENCE)))
