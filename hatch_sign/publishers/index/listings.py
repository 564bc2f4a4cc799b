"""Pages of a simple index, as JSON (PEP 691) and as HTML (PEP 503): written by a server, so hostile until compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_SEPARATORS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file as its index lists it: `sha256` and the address of its `provenance` (PEP 740) where it tells them."""

    url: str
    sha256: bytes | None = None
    provenance: str | None = None


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
    text = body.decode("utf-8", "replace")
    if media_type.endswith("json"):
        return _parse_json(text, address)
    return _parse_html(text, address) if media_type.endswith("html") else None


def parse_provenance(body: bytes) -> list[Mapping[str, Any]] | None:
    """Return the envelopes of the attestations in a provenance object (PEP 740), or None for what is none."""
    try:
        bundles = json.loads(body)["attestation_bundles"]
        return [attestation["envelope"] for bundle in bundles for attestation in bundle["attestations"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _parse_json(text: str, address: str) -> Listing | None:
    try:
        entries = json.loads(text)["files"]
        return {str(entry["filename"]): _from_json(entry, address) for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _from_json(entry: Mapping[str, Any], address: str) -> ListedFile:
    provenance = entry.get("provenance")
    return ListedFile(
        urljoin(address, entry["url"]),
        _digest(entry.get("hashes", {}).get("sha256")),
        urljoin(address, provenance) if isinstance(provenance, str) and provenance else None,
    )


def _digest(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _SHA256.match(value) else None


def _parse_html(text: str, address: str) -> Listing | None:
    parser = _Links(address)
    try:
        parser.feed(text)
        parser.close()
    except ValueError:
        return None
    return parser.files


class _Links(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self.files: dict[str, ListedFile] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        href = named.get("href")
        if tag != "a" or not href:
            return
        url, fragment = urldefrag(urljoin(self._address, href))
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        provenance = named.get("data-provenance")
        joined = urljoin(self._address, provenance) if provenance else None
        self.files[name] = ListedFile(url, _digest(fragment.removeprefix("sha256=")), joined)
