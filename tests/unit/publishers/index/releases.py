"""A release that an index takes, and the way it goes there."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.publishers.index.pace import Pace
from hatch_sign.publishers.index.publisher import IndexPublisher
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.values.errors import PublishError
from tests.unit.publishers.release_files import Heard, release_file
from tests.unit.remote.services import Time

if TYPE_CHECKING:
    from hatch_sign.contract import Destination, Published, ReadBack, ReleaseFile
    from tests.indexes import Index

WHEEL, SDIST = "demo_pkg-1.0-py3-none-any.whl", "demo_pkg-1.0.tar.gz"
METADATA = b"Metadata-Version: 2.3\nName: demo-pkg\nVersion: 1.0\nSummary: A demo\nKeywords: a,b\n\nWhat it is.\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
LIMITS = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=3, first_pause=0.001, longest_pause=0.001)
TIME = Time()
TOKEN = "pypi-loopback-token"  # noqa: S105 - it opens nothing but the index of the tests


@cache
def wheel(marker: str = "", metadata: bytes = METADATA) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("demo_pkg/__init__.py", f"'''{marker}'''")
        archive.writestr("demo_pkg-1.0.dist-info/METADATA", metadata)
        archive.writestr("demo_pkg-1.0.dist-info/WHEEL", _WHEEL)
        archive.writestr("demo_pkg-1.0.dist-info/RECORD", "")
    return packed.getvalue()


@cache
def sdist() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in (("PKG-INFO", METADATA), ("demo_pkg.py", b"")):
            member = tarfile.TarInfo(f"demo_pkg-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def attestation(name: str, content: bytes, predicate: str = PUBLISH) -> dict[str, Any]:
    """Return an attestation that is well-formed; nobody signed it."""
    subject = {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": predicate,
        "predicate": None,
    }
    return {
        "version": 1,
        "verification_material": {"certificate": _encoded(b"0certificate"), "transparency_entries": [{"logIndex": "1"}]},
        "envelope": {"statement": _encoded(json.dumps(statement).encode()), "signature": _encoded(b"signature")},
    }


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def release(folder: Path, *, attested: bool = False, sidecars: bool = False) -> list[ReleaseFile]:
    """Return a wheel and an sdist, with an attestation over each, and with what an index does not keep."""
    contents = {WHEEL: wheel(), SDIST: sdist()}
    files = [release_file(folder, name, content) for name, content in contents.items()]
    if attested:
        files += [attestation_file(folder, name, content) for name, content in contents.items()]
    if sidecars:
        files += [release_file(folder, f"{name}.sigstore.json", b"{}", "sigstore", name) for name in contents]
        files += [release_file(folder, "SHA256SUMS", b"", "checksums"), release_file(folder, "tool.exe", b"MZ")]
    return files


def attestation_file(
    folder: Path, name: str, content: bytes, kind: str = "publish", predicate: str = PUBLISH
) -> ReleaseFile:
    text = json.dumps(attestation(name, content, predicate)).encode()
    return release_file(folder, f"{name}.{kind}.attestation", text, "pep740", name)


@dataclass
class Sent:
    """What became of a release: what was reported, and what was read back."""

    published: list[Published] = field(default_factory=list)
    read_back: list[ReadBack] = field(default_factory=list)

    @property
    def deeds(self) -> dict[str, str]:
        return {each.name: each.deed for each in self.published}

    @property
    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in self.read_back}


def environment(index: Index) -> dict[str, str]:
    """Return the variables by which twine's users log in."""
    return {} if index.login is None else {"TWINE_USERNAME": index.login[0], "TWINE_PASSWORD": index.login[1]}


@contextmanager
def opened(
    index: Index, environ: Mapping[str, str] | None = None, *, limits: NetworkLimits = LIMITS, **settings: object
) -> Iterator[Destination]:
    """Open an index by the settings in which ``-`` is written ``_``; time passes only when somebody sleeps."""
    given = {"repository-url": index.url, **{key.replace("_", "-"): value for key, value in settings.items()}}
    given = {key: value for key, value in given.items() if value is not None}
    publisher = IndexPublisher(Pace(limits, replace(TIME.timing, chance=lambda: 0.0)))
    with publisher.open(given, Heard().context(environment(index) if environ is None else environ)) as destination:
        yield destination


def publish(index: Index, files: list[ReleaseFile], sent: Sent | None = None, **options: Any) -> Sent:  # noqa: ANN401 - as `opened` takes them
    """Publish, and read back what the place keeps; `sent` tells what was done before it failed."""
    sent = sent or Sent()
    with opened(index, **options) as destination:
        destination.publish(files, sent.published.append)
        sent.read_back += destination.read_back([file for file in files if not destination.drops(file)])
    return sent


def shown(index: Index, tmp_path: Path, **options: object) -> str:
    """Return the line by which publishing fails, and see to it that it is one and shows no credential."""
    with pytest.raises(PublishError) as caught:
        publish(index, release(tmp_path), **options)
    line = str(caught.value)
    assert "\n" not in line
    encoded = base64.b64encode(f"__token__:{TOKEN}".encode()).decode()
    assert TOKEN not in line
    assert encoded not in line
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return line
