"""Pages of a simple index, as JSON (PEP 691) and as HTML (PEP 503): written by a server, so hostile until compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from hatch_sign.publishers.documents import load_json

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_SEPARATORS = re.compile(r"[-_.]+")

_LINK = re.compile(r"<a(?=\s)", re.IGNORECASE)
_LONGEST_TAG = 16 * 1024
"""Characters of one link: address, digest and provenance."""
_ATTRIBUTE = re.compile(r"""\s*+([^\s=>"']++(?:\s*+=\s*+(?:"[^"]*"|'[^']*'|[^\s>"']++))?)""")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file as its index lists it: `sha256` and the address of its `provenance` (PEP 740) where it tells them.

    `page` is where that is told; the addresses may be those of any other host.
    """

    url: str
    sha256: bytes | None = None
    provenance: str | None = None
    page: str = field(default="", compare=False)


Listing = Mapping[str, ListedFile]
"""The files of one project, by their names."""


def project_name(filename: str) -> str:
    """Return the normalised name (PEP 503) of the project that a wheel or an sdist is of."""
    stem = filename.removesuffix(".tar.gz")
    name = filename.partition("-")[0] if filename.endswith(".whl") else stem.rpartition("-")[0] or stem
    return _SEPARATORS.sub("-", name).lower()


def parse_listing(content_type: str, body: bytes, address: str) -> Listing | None:
    """Return what a page at `address` lists, or None for one that is no page of a simple index."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.endswith("json"):
        return _parse_json(body, address)
    return _parse_html(body.decode("utf-8", "replace"), address) if media_type.endswith("html") else None


def parse_provenance(body: bytes) -> list[Mapping[str, Any]] | None:
    """Return the envelopes of the attestations in a provenance object (PEP 740), or None for what is none."""
    try:
        bundles = load_json(body)["attestation_bundles"]
        return [attestation["envelope"] for bundle in bundles for attestation in bundle["attestations"]]
    except (ValueError, KeyError, TypeError):
        return None


def _parse_json(body: bytes, address: str) -> Listing | None:
    try:
        entries = load_json(body)["files"]
        return {str(entry["filename"]): _from_json(entry, address) for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _from_json(entry: Mapping[str, Any], address: str) -> ListedFile:
    provenance = entry.get("provenance")
    return ListedFile(
        urljoin(address, entry["url"]),
        _digest(entry.get("hashes", {}).get("sha256")),
        urljoin(address, provenance) if isinstance(provenance, str) and provenance else None,
        address,
    )


def _digest(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _SHA256.match(value) else None


def _parse_html(text: str, address: str) -> Listing | None:
    """Read the links, which are all that a page is read for, in time that grows with its length alone.

    The standard library's parser does not: tags that never end keep it for hours.
    """
    try:
        first, *others = text.split("<!--")
        shown = "".join([first, *(each.partition("-->")[2] for each in others)])
        links = (_from_html(_attributes(after[:_LONGEST_TAG]), address) for after in _LINK.split(shown)[1:])
        return {name: file for name, file in links if name}
    except ValueError:
        return None


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes that `text`, what follows the name of a tag, begins with; of several of one name, the last."""
    found, at = {}, 0
    while match := _ATTRIBUTE.match(text, at):
        name, _, value = match[1].partition("=")
        found[name.strip().lower()] = unescape(value.strip().strip("\"'"))
        at = match.end()
    return found


def _from_html(attributes: Mapping[str, str], address: str) -> tuple[str, ListedFile]:
    url, fragment = urldefrag(urljoin(address, attributes.get("href", "")))
    name = unquote(urlsplit(url).path.rpartition("/")[2]) if attributes.get("href") else ""
    provenance = attributes.get("data-provenance")
    joined = urljoin(address, provenance) if provenance else None
    return name, ListedFile(url, _digest(fragment.removeprefix("sha256=")), joined, address)
