"""GitHub's REST interface, as far as releases need it: one place that holds the token and knows to whom it may be told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hatch_sign.publishers.documents import load_json
from hatch_sign.publishers.github.translate import failure_of, malformed_answer, publish_error
from hatch_sign.publishers.reading import verified_stream
from hatch_sign.remote.failures import Failure
from hatch_sign.remote.http import ask
from hatch_sign.remote.http_messages import Question, Reply, StreamedBody
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Timing

if TYPE_CHECKING:
    from hatch_sign.contract import ReleaseFile
    from hatch_sign.publishers.github.settings import Place

VERSION = "2022-11-28"
"""Of the interface (its header X-GitHub-Api-Version)."""

LIMITS = NetworkLimits(connect=10.0, read=60.0, total=120.0, attempts=5)
"""Of one question; what a file takes to be sent or fetched comes on top."""

SLOWEST = 64 * 1024
"""Bytes in a second below which a transfer is given up, reckoned over the whole of a file."""

_JSON = "application/vnd.github+json"
_LARGEST_PAGE = 64 * 1024 * 1024
_PAGE = 100
"""Entries that a page holds at most: more are none of GitHub's answers, and would be kept in memory."""
_MOST_PAGES = 100
"""GitHub lists no more."""


@dataclass(frozen=True)
class GitHubApi:
    """Asks about one place. Every method raises PublishError, without a chain; sending a file, RejectedError too."""

    place: Place
    token: str = field(repr=False)
    limits: NetworkLimits = LIMITS
    timing: Timing = field(default_factory=Timing)
    stopped: Callable[[], bool] | None = None

    def get(self, path: str) -> Any:  # noqa: ANN401 - a document of GitHub's
        """Return what the repository has at `path`; None where there is nothing (404)."""
        reply = self._require(self.ask("GET", self.place.address(path), known=frozenset({404})))
        if reply.status == 404:  # noqa: PLR2004 - Not Found
            return None
        document = self.document(reply)
        if document is None:
            raise malformed_answer(self.place.title)
        return document

    def pages(self, path: str) -> Iterator[list[Any]]:
        """Give the pages of a list, a hundred entries each; nothing there is an error."""
        for page in range(1, _MOST_PAGES + 1):
            reply = self._require(self.ask("GET", f"{self.place.address(path)}?per_page={_PAGE}&page={page}"))
            entries = self.document(reply)
            if not isinstance(entries, list) or len(entries) > _PAGE:
                raise malformed_answer(self.place.title)
            yield entries
            if 'rel="next"' not in reply.headers.get("link", ""):
                return

    def send(self, method: str, path: str, content: Mapping[str, object]) -> Any:  # noqa: ANN401 - as above
        """Return the answer to JSON that may be sent twice."""
        return self.document(self._require(self.ask(method, self.place.address(path), _encode(content))))

    def make(self, path: str, content: Mapping[str, object]) -> Reply | Failure:
        """Return the answer to JSON that must not be sent twice, or what kept it from coming: it may be done anyhow."""
        return self.ask("POST", self.place.address(path), _encode(content), repeatable=False)

    def delete(self, path: str) -> None:
        """Delete what is at `path`; that it is gone already is no mistake."""
        self._require(self.ask("DELETE", self.place.address(path), known=frozenset({404})))

    def upload(self, address: str, file: ReleaseFile) -> Reply | Failure:
        """Send the verified bytes once and return the answer, or what kept it from coming: they may be there all the same.

        Raises RejectedError for a file that changed, which is then not sent to its end.
        """
        body = StreamedBody(file.size, lambda: verified_stream(file))
        return self.ask("POST", f"{address}?name={quote(file.name, safe='')}", body, repeatable=False)

    def fetched_digest(self, path: str, size: int) -> bytes | Failure:
        """Return the SHA-256 of `size` bytes that are at `path`, or what kept them from coming. They are not kept."""
        question = self._question("GET", self.place.address(path), None)
        question = replace(question, accept="application/octet-stream", largest=size, digest="sha256")
        answer = self._asked(question, size)
        return answer if isinstance(answer, Failure) else answer.body

    def ask(
        self,
        method: str,
        address: str,
        body: bytes | StreamedBody | None = None,
        *,
        known: frozenset[int] = frozenset(),
        repeatable: bool = True,
    ) -> Reply | Failure:
        """Return the answer with a status of success, or one that is `known`, or else what kept it from coming."""
        size = body.size if isinstance(body, StreamedBody) else 0
        return self._asked(self._question(method, address, body), size, known, repeatable=repeatable)

    def limits_of(self, size: int) -> NetworkLimits:
        """Return the limits of a question that carries so many bytes."""
        return replace(self.limits, total=self.limits.total + size / SLOWEST)

    def document(self, reply: Reply) -> Any:  # noqa: ANN401 - as above
        """Return the JSON of an answer."""
        try:
            return load_json(reply.body)
        except ValueError:
            raise malformed_answer(self.place.title) from None

    def _asked(
        self, question: Question, size: int, known: frozenset[int] = frozenset(), *, repeatable: bool = True
    ) -> Reply | Failure:
        def judge(reply: Reply) -> Failure | None:
            return None if reply.status // 100 == 2 or reply.status in known else failure_of(reply)  # noqa: PLR2004 - success

        return ask(
            question,
            limits=self.limits_of(size),
            timing=self.timing,
            stopped=self.stopped,
            repeatable=repeatable,
            judge=judge,
        )

    def _question(self, method: str, address: str, body: bytes | StreamedBody | None) -> Question:
        return Question(
            address,
            accept=_JSON,
            largest=_LARGEST_PAGE,
            body=body,
            content_type="application/octet-stream" if isinstance(body, StreamedBody) else "application/json",
            method=method,
            headers=(("Authorization", f"Bearer {self.token}"), ("X-GitHub-Api-Version", VERSION)),
        )

    def _require(self, answer: Reply | Failure) -> Reply:
        if isinstance(answer, Failure):
            raise publish_error(self.place.title, answer)
        return answer


def _encode(content: Mapping[str, object]) -> bytes:
    return json.dumps(content).encode()
