"""A package index on the loopback, a fake kept as strict as PyPI: it remembers every request, and fails as it is told.

It takes uploads at :attr:`Index.url`, and serves what it has under :attr:`Index.simple` (PEP 691, PEP 503), its files, and
the attestations that it kept (PEP 740)::

    with index_serving() as index:
        ...  # hatch-sign upload --repository-url index.url, TWINE_USERNAME and TWINE_PASSWORD as index.login
        assert index.requests == []
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tests.index_forms import RefusedError, Upload, check_upload, parse_form, require
from tests.unit.services.https_server import Answer, Request, Service, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
PUBLISHER = {"kind": "GitHub", "repository": "acme/demo", "workflow": "release.yml", "environment": None}


@dataclass
class Index:
    """What an index has, how it behaves, and what it was asked. Everything may be changed while it runs.

    `login` is the user and the token without which nothing is taken; None takes all. `attestations` says whether they are
    kept, refused, or dropped while success is answered. `same_again` is what the same bytes get a second time: PyPI answers
    200. `listing` is how the files of a project are told: with ``none`` there is no simple index, with ``undigested`` there
    are no digests in it. Without `gives_files`, what is listed cannot be had. `alters` stores other bytes than it was sent.
    `before_upload` is called with each upload, before it is looked at.
    """

    login: tuple[str, str] | None = ("__token__", "pypi-loopback-token")
    attestations: Literal["keep", "drop", "refuse"] = "keep"
    same_again: Literal["accept", "refuse"] = "accept"
    listing: Literal["json", "html", "none", "undigested"] = "json"
    gives_files: bool = True
    alters: bool = False
    before_upload: Callable[[Upload], None] = lambda _: None
    stored: dict[str, Upload] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    """Every upload that could be read, in order, whether or not it was taken."""
    service: Service = field(init=False)
    _failing: list[Answer] = field(default_factory=list)
    _failing_to_tell: list[Answer] = field(default_factory=list)
    _lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = Service(self.respond)

    @property
    def url(self) -> str:
        """Where uploads go."""
        return f"{self.service.origin}/legacy/"

    @property
    def simple(self) -> str:
        """The simple index, as pip takes it by ``--index-url``."""
        return f"{self.service.origin}/simple/"

    @property
    def requests(self) -> list[str]:
        """Method and path of every request, in order."""
        return [f"{each.method} {each.path}" for each in self.service.requests]

    @property
    def posts(self) -> list[str]:
        """The requests that could have stored something."""
        return [each for each in self.requests if not each.startswith("GET ")]

    def fail(self, *answers: Answer) -> None:
        """Give these answers to the next uploads, and do nothing else with them."""
        self._failing += answers

    def fail_to_tell(self, *answers: Answer) -> None:
        """Give these answers to the next requests that only read."""
        self._failing_to_tell += answers

    def lose_answers(self, *faults: Literal["vanish", "cut", "stall", "drip"]) -> None:
        """Do with the next uploads what is to be done, then lose the answers like this on their way."""
        self._lost += faults

    def cut_requests(self, *sizes: int) -> None:
        """Cut the connection after so many bytes of the body of each of the next uploads, which are not remembered."""
        self.service.cut_after += sizes

    def respond(self, request: Request) -> Answer:
        if request.method != "POST":
            return self._failing_to_tell.pop(0) if self._failing_to_tell else self._read(request)
        answer = self._failing.pop(0) if self._failing else self._upload(request)
        return replace(answer, body=answer.body or b"lost", fault=self._lost.pop(0)) if self._lost else answer

    # --- uploads -------------------------------------------------------------------------------------------------

    def _upload(self, request: Request) -> Answer:
        if request.path != "/legacy/":
            return Answer(301, headers={"Location": "/legacy/"}) if request.path == "/legacy" else Answer(405)
        if not self._let_in(request):
            return Answer(403, b"Invalid or non-existent authentication information.")
        try:
            upload = parse_form(request.headers.get("content-type", ""), request.body)
            self.uploads.append(upload)
            self.before_upload(upload)
            check_upload(upload)
            return self._store(upload)
        except (RefusedError, ValueError, KeyError, TypeError) as error:
            return Answer(400, f"400 {error}".encode())

    def _let_in(self, request: Request) -> bool:
        if self.login is None:
            return True
        expected = base64.b64encode(":".join(self.login).encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _store(self, upload: Upload) -> Answer:
        require(
            not ("attestations" in upload.fields and self.attestations == "refuse"), "attestations need Trusted Publishing"
        )
        there = self.stored.get(upload.filename)
        if there is not None:
            same = there.sha256 == upload.sha256 and self.same_again == "accept"
            require(same, f"File already exists ({upload.filename!r}, with another blake2_256 hash). See /help/ for more")
            return Answer(200)
        content = upload.content + b"altered" if self.alters else upload.content
        kept = {name: each for name, each in upload.fields.items() if name != "attestations" or self.attestations == "keep"}
        self.stored[upload.filename] = Upload(kept, upload.filename, content)
        return Answer(200)

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read(self, request: Request) -> Answer:
        kind, _, rest = request.path.lstrip("/").partition("/")
        if kind == "simple" and self.listing != "none":
            return self._project(rest.rstrip("/"), request.headers.get("accept", ""))
        if kind == "files" and rest in self.stored and self.gives_files:
            return Answer(200, self.stored[rest].content, {"Content-Type": "application/octet-stream"})
        if kind == "integrity" and rest in self.stored and self.stored[rest].attestations:
            bundle = {"publisher": PUBLISHER, "attestations": self.stored[rest].attestations}
            return Answer.of(200, {"version": 1, "attestation_bundles": [bundle]})
        return Answer(404, b"404 Not Found")

    def _project(self, project: str, accept: str) -> Answer:
        entries = [self._entry(each) for each in self.stored.values() if each.project == project]
        if not entries:
            return Answer(404, b"404 Not Found")
        if self.listing != "html" and SIMPLE_JSON in accept:
            page = {"meta": {"api-version": "1.3"}, "name": project, "versions": [], "files": entries}
            return Answer(200, json.dumps(page).encode(), {"Content-Type": SIMPLE_JSON})
        links = "".join(f"<a {_attributes(entry)}>{html.escape(entry['filename'])}</a><br>\n" for entry in entries)
        return Answer(200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), {"Content-Type": "text/html"})

    def _entry(self, upload: Upload) -> dict[str, Any]:
        origin = self.service.origin
        return {
            "filename": upload.filename,
            "url": f"{origin}/files/{upload.filename}",
            "hashes": {} if self.listing == "undigested" else {"sha256": upload.sha256},
            "size": len(upload.content),
            "provenance": f"{origin}/integrity/{upload.filename}" if upload.attestations else None,
        }


def _attributes(entry: dict[str, Any]) -> str:
    fragment = "".join(f"#sha256={digest}" for digest in entry["hashes"].values())
    provenance = f' data-provenance="{html.escape(entry["provenance"])}"' if entry["provenance"] else ""
    return f'href="{html.escape(entry["url"])}{fragment}"{provenance}'


@contextmanager
def index_serving(
    index: Index | None = None, certificate: Path | None = None, *, client_authority: Path | None = None
) -> Iterator[Index]:
    """Run the index on a free port until the block ends, by TLS where a PEM file with certificate and key is given.

    With an authority, it lets in nobody without a certificate by it.
    """
    index = index or Index()
    with serving(index.service, certificate, client_authority=client_authority, demands=client_authority is not None):
        yield index
