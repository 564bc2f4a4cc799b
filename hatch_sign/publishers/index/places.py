"""Where an index tells what it has: its simple index (PEP 503), found from the address that uploads go to."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

PYPI_UPLOADS = {"upload.pypi.org": "https://pypi.org/simple/", "test.pypi.org": "https://test.pypi.org/simple/"}
"""The hosts of PyPI and TestPyPI that uploads go to, and their simple indexes."""

_UPLOAD_SEGMENTS = ("legacy", "upload")


def takes_attestations(upload_url: str) -> bool:
    """Return whether the index is one that is known to keep attestations (PEP 740)."""
    return urlsplit(upload_url).hostname in PYPI_UPLOADS


def simple_indexes(upload_url: str) -> list[str]:
    """Return where the simple index of an index may be, the likeliest first; each ends with a slash.

    PyPI's are known. Others serve it beside ``legacy/`` (Warehouse) or ``upload/`` (Azure Artifacts), below the address as
    ``simple/`` (pypiserver, Artifactory, Nexus, GitLab, Google and AWS) or as ``+simple/`` (devpi).
    """
    known = PYPI_UPLOADS.get(urlsplit(upload_url).hostname or "")
    if known is not None:
        return [known]
    base = upload_url.partition("?")[0].partition("#")[0].rstrip("/") + "/"
    below = [urljoin(base, "simple/"), urljoin(base, "+simple/")]
    beside = base.rstrip("/").rpartition("/")[2] in _UPLOAD_SEGMENTS
    return [urljoin(base, "../simple/"), *below] if beside else below
