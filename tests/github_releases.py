"""FakeGitHub: the releases of one repository by GitHub's REST interface 2022-11-28, as documented, and no product of GitHub.

It refuses what the real one refuses: calls without a user agent, a known version and the right media type, tokens that are
wrong or may not write, uploads without a length, empty ones, a name that is taken, a release that is immutable. Like the
real one, it shows drafts only to whom may write, pages its lists, gives assets new names without a word, keeps what an
upload left that was cut as a ``starter``, makes a missing tag when a release is published, and lends bytes from another
server, which refuses the token.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.unit.services.https_server import Answer, Request, Service, serving

TOKEN = "ghs_s3cr3tTokenOfTheTests"  # noqa: S105 - what no output may show
REPOSITORY = "example/app"

Handler = Callable[[Request, re.Match[str]], Answer]


@dataclass
class FakeAsset:
    id: int
    name: str
    content: bytes
    state: str = "uploaded"


@dataclass
class FakeRelease:
    id: int
    tag: str
    draft: bool
    fields: dict[str, Any] = field(default_factory=dict)
    immutable: bool = False
    assets: list[FakeAsset] = field(default_factory=list)

    def contents(self) -> dict[str, bytes]:
        return {asset.name: asset.content for asset in self.assets if asset.state == "uploaded"}


@dataclass
class Fault:
    """What becomes of a call: `answer` is given; where `done`, the call was carried out before; `part` leaves a starter."""

    answer: Answer
    done: bool = False
    part: bool = False


@dataclass
class FakeGitHub:
    """The state of the repository, what it was asked (`calls`, by name), and `faults` by the name of the call."""

    releases: list[FakeRelease] = field(default_factory=list)
    tags: set[str] = field(default_factory=lambda: {"v1.0"})
    may_write: bool = True
    tells_digests: bool = True
    uploads_at: str = ""
    page_size: int = 100
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    service: Service = field(init=False)
    storage: Service = field(init=False)
    _last_id: int = 0

    def __post_init__(self) -> None:
        self.service = Service(self.respond)
        self.storage = Service(self._lend)

    @property
    def api(self) -> str:
        return f"{self.service.origin}/api/v3"

    @property
    def requests(self) -> int:
        return len(self.service.requests) + len(self.storage.requests)

    def add_release(self, tag: str = "v1.0", *, draft: bool = True, immutable: bool = False) -> FakeRelease:
        release = FakeRelease(self._next_id(), tag, draft, immutable=immutable)
        self.releases.insert(0, release)
        return release

    def add_asset(self, release: FakeRelease, name: str, content: bytes, state: str = "uploaded") -> FakeAsset:
        asset = FakeAsset(self._next_id(), name, content, state)
        release.assets.append(asset)
        return asset

    def fail(self, call: str, *faults: Answer | Fault) -> None:
        """Let the next calls of this name fail, each in its way."""
        made = [fault if isinstance(fault, Fault) else Fault(fault) for fault in faults]
        self.faults.setdefault(call, []).extend(made)

    def respond(self, request: Request) -> Answer:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        path = urlsplit(request.path).path
        for call, method, pattern, handler in self._calls():
            matched = re.fullmatch(pattern, path)
            if matched and method == request.method:
                return self._carry_out(call, handler, request, matched)
        return _error(404, "Not Found")

    def _calls(self) -> list[tuple[str, str, str, Handler]]:
        own = f"/api/v3/repos/{REPOSITORY}"
        return [
            ("tag", "GET", f"{own}/releases/tags/([^/]+)", self._by_tag),
            ("list", "GET", f"{own}/releases", self._list),
            ("ref", "GET", f"{own}/git/ref/tags/(.+)", self._ref),
            ("create", "POST", f"{own}/releases", self._create),
            ("publish", "PATCH", f"{own}/releases/([0-9]+)", self._publish),
            ("assets", "GET", f"{own}/releases/([0-9]+)/assets", self._list_assets),
            ("download", "GET", f"{own}/releases/assets/([0-9]+)", self._download),
            ("delete", "DELETE", f"{own}/releases/assets/([0-9]+)", self._delete),
            ("upload", "POST", f"/api/uploads/repos/{REPOSITORY}/releases/([0-9]+)/assets", self._upload),
        ]

    def _carry_out(self, call: str, handler: Handler, request: Request, matched: re.Match[str]) -> Answer:
        self.calls.append(call)
        waiting = self.faults.get(call, [])
        fault = waiting.pop(0) if waiting else None
        if fault is not None and fault.part:
            self.add_asset(self._release(matched[1]), _query(request)["name"], b"", "starter")
        if fault is None or fault.done:
            answer = handler(request, matched)
        return answer if fault is None else fault.answer

    def _refusal(self, request: Request) -> Answer | None:
        """Answer what concerns every call alike."""
        if not request.headers.get("user-agent"):
            return _error(
                403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header"
            )
        if request.headers.get("x-github-api-version") != "2022-11-28":
            return _error(400, "The requested API version is not supported")
        authorization = request.headers.get("authorization", "")
        if authorization != f"Bearer {TOKEN}":
            # Its answer repeats what it was given, so that tests see whether it comes through.
            return _error(401, f"Bad credentials: {authorization}") if authorization else _error(404, "Not Found")
        if request.method != "GET" and not self.may_write:
            return _error(403, "Resource not accessible by integration")
        return None

    # --- releases ---------------------------------------------------------------------------------------------------------

    def _by_tag(self, _: Request, matched: re.Match[str]) -> Answer:
        found = [release for release in self.releases if release.tag == unquote(matched[1]) and not release.draft]
        return Answer.of(200, self._describe(found[0])) if found else _error(404, "Not Found")

    def _list(self, request: Request, _: re.Match[str]) -> Answer:
        return self._page(request, [self._describe(each) for each in self.releases if self.may_write or not each.draft])

    def _ref(self, _: Request, matched: re.Match[str]) -> Answer:
        tag = unquote(matched[1])
        return Answer.of(200, {"ref": f"refs/tags/{tag}"}) if tag in self.tags else _error(404, "Not Found")

    def _create(self, request: Request, _: re.Match[str]) -> Answer:
        content = _json(request)
        tag = content.get("tag_name")
        if not isinstance(tag, str):
            return _invalid("Release", "missing_field", "tag_name")
        if any(release.tag == tag and not release.draft for release in self.releases):
            return _invalid("Release", "already_exists", "tag_name")
        release = self.add_release(tag, draft=content.get("draft") is True)
        release.fields = content
        if not release.draft:
            self.tags.add(tag)
        return Answer.of(201, self._describe(release))

    def _publish(self, request: Request, matched: re.Match[str]) -> Answer:
        release = self._release(matched[1])
        release.draft = _json(request).get("draft", release.draft)
        if not release.draft:
            self.tags.add(release.tag)
        return Answer.of(200, self._describe(release))

    def _describe(self, release: FakeRelease) -> dict[str, Any]:
        uploads = self.uploads_at or f"{self.service.origin}/api/uploads"
        address = f"{uploads}/repos/{REPOSITORY}/releases/{release.id}/assets"
        return {
            "id": release.id,
            "tag_name": release.tag,
            "draft": release.draft,
            "immutable": release.immutable,
            "upload_url": address + "{?name,label}",
            "body": "Jos\u00e9's notes",
            "assets": [self._describe_asset(asset) for asset in release.assets],
        }

    # --- assets -----------------------------------------------------------------------------------------------------------

    def _list_assets(self, request: Request, matched: re.Match[str]) -> Answer:
        return self._page(request, [self._describe_asset(asset) for asset in self._release(matched[1]).assets])

    def _upload(self, request: Request, matched: re.Match[str]) -> Answer:
        release, name = self._release(matched[1]), _query(request).get("name", "")
        if "content-length" not in request.headers or not request.body:
            return _error(400, "Bad Content-Length")
        if "content-type" not in request.headers:
            return _error(415, "Unsupported Media Type")
        if release.immutable:
            return _error(422, "Cannot upload assets to an immutable release.")
        if not name:
            return _invalid("ReleaseAsset", "missing_field", "name")
        kept = renamed(name)
        if any(asset.name == kept for asset in release.assets):
            return _invalid("ReleaseAsset", "already_exists", "name")
        return Answer.of(201, self._describe_asset(self.add_asset(release, kept, request.body)))

    def _download(self, request: Request, matched: re.Match[str]) -> Answer:
        asset = self._asset(matched[1])
        if request.headers.get("accept") != "application/octet-stream":
            return Answer.of(200, self._describe_asset(asset))
        return Answer(302, headers={"Location": f"{self.storage.origin}/{asset.id}?signature=abc"})

    def _lend(self, request: Request) -> Answer:
        if "authorization" in request.headers:
            return Answer(400, b"<Error>Only one auth mechanism allowed</Error>", {"Content-Type": "application/xml"})
        return Answer(200, self._asset(urlsplit(request.path).path[1:]).content)

    def _delete(self, _: Request, matched: re.Match[str]) -> Answer:
        for release in self.releases:
            for asset in release.assets:
                if asset.id == int(matched[1]) and not release.immutable:
                    release.assets.remove(asset)
                    return Answer(204)
        return _error(404, "Not Found")

    def _describe_asset(self, asset: FakeAsset) -> dict[str, Any]:
        complete = asset.state == "uploaded"
        digest = f"sha256:{hashlib.sha256(asset.content).hexdigest()}" if complete and self.tells_digests else None
        size = len(asset.content)
        return {"id": asset.id, "name": asset.name, "size": size, "state": asset.state, "digest": digest, "label": ""}

    # --- small things -----------------------------------------------------------------------------------------------------

    def _page(self, request: Request, entries: list[dict[str, Any]]) -> Answer:
        query = _query(request)
        size = min(int(query.get("per_page", "30")), self.page_size)
        page = int(query.get("page", "1"))
        shown = entries[(page - 1) * size : page * size]
        last = page * size >= len(entries)
        links = {} if last else {"Link": f'<{self.api}/repositories/1/x?page={page + 1}>; rel="next", <x>; rel="last"'}
        return Answer.of(200, shown, **links)

    def _release(self, number: str) -> FakeRelease:
        return next(release for release in self.releases if release.id == int(number))

    def _asset(self, number: str) -> FakeAsset:
        return next(asset for release in self.releases for asset in release.assets if asset.id == int(number))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


@contextmanager
def serving_github(fake: FakeGitHub) -> Iterator[FakeGitHub]:
    """Run it on two free ports of the loopback, plain: the interface, and the server that lends the bytes."""
    with serving(fake.service, None), serving(fake.storage, None):
        yield fake


def renamed(name: str) -> str:
    """Return the name that GitHub gives an asset: a full stop for what it does not like, and none at the ends or twice."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._+-]+", ".", plain)).strip(".") or "default"


def _query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def _json(request: Request) -> dict[str, Any]:
    content = json.loads(request.body)
    assert isinstance(content, dict)
    return content


def _error(status: int, message: str) -> Answer:
    return Answer.of(status, {"message": message, "documentation_url": "https://docs.github.com/rest"})


def _invalid(resource: str, code: str, name: str) -> Answer:
    errors = [{"resource": resource, "code": code, "field": name}]
    return Answer.of(422, {"message": "Validation Failed", "errors": errors})
