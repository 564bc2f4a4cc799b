"""What a package index finds wrong with an upload: the rules of PyPI's upload form, and of PEP 740, kept strict."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

PREDICATES = ("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1")
"""What an attestation may say, at most once each."""

_FILETYPES = {".whl": "bdist_wheel", ".tar.gz": "sdist"}
_DIGESTS: dict[str, Callable[[bytes], Any]] = {
    "md5_digest": partial(hashlib.md5, usedforsecurity=False),
    "sha256_digest": hashlib.sha256,
    "blake2_256_digest": partial(hashlib.blake2b, digest_size=32),
}


class RefusedError(Exception):
    """What is wrong with an upload, as the index words it in its answer."""


@dataclass(frozen=True)
class Upload:
    """One upload as it came: every field of the form with all its values, and the file with the name it was sent under."""

    fields: Mapping[str, list[str]]
    filename: str
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def project(self) -> str:
        return canonicalize_name(self.one("name"))

    @property
    def attestations(self) -> list[dict[str, Any]]:
        return json.loads(self.one("attestations")) if "attestations" in self.fields else []

    def one(self, name: str) -> str:
        """Return the value of a field that is there exactly once."""
        values = self.fields.get(name, [])
        require(len(values) == 1, f"the field {name} is there {len(values)} times")
        return values[0]


def require(condition: object, message: str) -> None:
    if not condition:
        raise RefusedError(message)


def parse_form(content_type: str, body: bytes) -> Upload:
    """Return the upload in a body of type ``multipart/form-data`` (RFC 7578); a file may be in the field content only."""
    heading = Message()
    heading["Content-Type"] = content_type
    require(heading.get_content_type() == "multipart/form-data", "the form is not multipart/form-data")
    first, *parts, last = (b"\r\n" + body).split(b"\r\n--" + str(heading.get_param("boundary")).encode())
    require(first == b"" and last in {b"--", b"--\r\n"}, "the form does not begin or end as one")
    fields: dict[str, list[str]] = {}
    files: list[tuple[str, bytes]] = []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        about = BytesParser().parsebytes(head)
        name = str(about.get_param("name", header="content-disposition"))
        filename = about.get_param("filename", header="content-disposition")
        if filename is None:
            fields.setdefault(name, []).append(content.decode("utf-8"))
        else:
            require(name == "content", f"there is a file in the field {name}")
            files.append((str(filename), content))
    require(len(files) == 1, f"there are {len(files)} files")
    return Upload(fields, *files[0])


def check_upload(upload: Upload) -> None:
    """Raise RefusedError for what PyPI would not take, whoever sends it."""
    require(upload.one(":action") == "file_upload", "the action is another one")
    require(upload.one("protocol_version") == "1", "the protocol is another one")
    _check_digests(upload)
    _check_names(upload)
    metadata = Metadata.from_email(_metadata_inside(upload))
    require(canonicalize_name(metadata.name) == upload.project, "the metadata inside have another name")
    require(str(metadata.version) == upload.one("version"), "the metadata inside have another version")
    require(metadata.metadata_version == upload.one("metadata_version"), "the metadata inside are of another standard")
    if "attestations" in upload.fields:
        _check_attestations(upload)


def _check_digests(upload: Upload) -> None:
    sent = [name for name in _DIGESTS if name in upload.fields]
    require("sha256_digest" in sent or "blake2_256_digest" in sent, "there is no digest of the file")
    for name in sent:
        made = _DIGESTS[name](upload.content).hexdigest()
        require(upload.one(name) == made, "the digest supplied does not match a digest calculated from the file")


def _check_names(upload: Upload) -> None:
    suffix = next((each for each in _FILETYPES if upload.filename.endswith(each)), "")
    require(suffix, "the file is neither a wheel nor an sdist")
    require(upload.one("filetype") == _FILETYPES[suffix], "the file is of another type than the form says")
    name, version = parse_wheel_filename(upload.filename)[:2] if suffix == ".whl" else parse_sdist_filename(upload.filename)
    require(name == upload.project, "the file's name begins with another project's")
    require(version == Version(upload.one("version")), "the file's name has another version")
    require((upload.one("pyversion") == "source") == (suffix == ".tar.gz"), "the form has another Python version")


def _metadata_inside(upload: Upload) -> bytes:
    stem = upload.filename
    if stem.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(upload.content)) as archive:
            return archive.read(f"{'-'.join(stem.split('-')[:2])}.dist-info/METADATA")
    with tarfile.open(fileobj=io.BytesIO(upload.content), mode="r:gz") as archive:
        member = archive.extractfile(f"{stem.removesuffix('.tar.gz')}/PKG-INFO")
        assert member is not None
        return member.read()


# --- PEP 740 -------------------------------------------------------------------------------------------------------


def _check_attestations(upload: Upload) -> None:
    attestations: Any = upload.attestations
    require(isinstance(attestations, list) and attestations, "attestations is no array with something in it")
    kinds = [_checked_predicate(each, upload) for each in attestations]
    require(len(kinds) == len(set(kinds)), "two attestations are of one kind")


def _checked_predicate(attestation: Any, upload: Upload) -> str:  # noqa: ANN401 - whatever JSON holds
    require(set(attestation) == {"version", "verification_material", "envelope"}, "an attestation has other fields")
    require(attestation["version"] == 1, "an attestation is of another version")
    material, envelope = attestation["verification_material"], attestation["envelope"]
    require(set(material) == {"certificate", "transparency_entries"}, "the material has other fields")
    require(_decoded(material["certificate"])[:1] == b"\x30", "the certificate is not DER")
    require(len(material["transparency_entries"]) >= 1, "there is no transparency entry")
    require(set(envelope) == {"statement", "signature"}, "the envelope has other fields")
    _decoded(envelope["signature"])
    return _checked_statement(json.loads(_decoded(envelope["statement"])), upload)


def _checked_statement(statement: Mapping[str, Any], upload: Upload) -> str:
    require(statement["_type"] == "https://in-toto.io/Statement/v1", "the statement is of another type")
    require(len(statement["subject"]) == 1, "the statement has not exactly one subject")
    subject = statement["subject"][0]
    require(subject["name"] == upload.filename, "the subject of the attestation has another name")
    require(subject["digest"].get("sha256") == upload.sha256, "the subject of the attestation has another digest")
    require(statement["predicateType"] in PREDICATES, "the predicate is of a type that is not taken")
    return str(statement["predicateType"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        message = "something in an attestation is not base64"
        raise RefusedError(message) from None
