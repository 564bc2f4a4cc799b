"""A timestamp authority on the loopback: ``openssl ts`` behind HTTP, and everything that can go wrong with one."""

from __future__ import annotations

import enum
import secrets
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from asn1crypto import cms, tsp

from tests.authority import Holder, make_tsa
from tests.peers.codesigning import programs
from tests.unit.services.https_server import Answer, Request, Service, serving

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
POLICY = "2.999.3161"
_HUGE = 64 << 20

_CONFIGURATION = """
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
default_policy = {policy}
digests = {digests}
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = {certificate_hash}
"""


class Trouble(enum.StrEnum):
    """What an authority does instead of answering well."""

    UNAVAILABLE = "503, with Retry-After if it is set"
    TOO_MANY = "429, with Retry-After if it is set"
    FAILED = "500"
    FORBIDDEN = "403"
    VANISH = "closes the connection without a word"
    CUT = "closes the connection after half the answer"
    STALL = "says the length of its answer, and nothing more"
    WRONG_NONCE = "answers another nonce"
    NO_NONCE = "leaves the nonce out"
    WRONG_IMPRINT = "stamps another imprint"
    REJECTION = "answers with the status rejection, as openssl does to a hash that it does not know"
    REPLAY = "gives the answer before this one again"
    PAGE = "a page of HTML with the status 200, as a captive portal"
    GARBAGE = "bytes that are no ASN.1, under the right type"
    HUGE = "64 MiB of zeros under the right type"


_STATUSES = {Trouble.UNAVAILABLE: 503, Trouble.TOO_MANY: 429, Trouble.FAILED: 500, Trouble.FORBIDDEN: 403}
_FAULTS = {Trouble.VANISH: "vanish", Trouble.CUT: "cut", Trouble.STALL: "stall"}


@dataclass
class TimestampServer:
    """An authority that answers while the context lasts; every field may be set at any time.

    :param holder: whose key signs. Its certificate has to be for timestamping and for that alone, else openssl
        refuses to sign; with `unchecked`, ``openssl cms`` signs, which does not look at it.
    :param tls: certificate and key of the server in PEM, for an address that begins with ``https:``.
    :param delay: seconds before each answer.
    :param retry_after: what the header of that name says with a status of 503 or 429.
    :param interval: seconds that have to lie between two requests, else the answer is 429.
    :param clock: what the authority takes for the present, by ``faketime``.
    :param signer_hash: by which it signs; `certificate_hash` tells its certificate apart in the signed attribute:
        ``sha1`` gives signing-certificate (RFC 2634), the others signing-certificate-v2 (RFC 5816).
    """

    holder: Holder = field(default_factory=make_tsa)
    tls: Path | None = None
    delay: float = 0.0
    retry_after: str | None = None
    interval: float = 0.0
    clock: datetime | None = None
    unchecked: bool = False
    signer_hash: str = "sha256"
    certificate_hash: str = "sha256"
    peak: int = 0
    _service: Service = field(init=False, repr=False)
    _troubles: list[Trouble] = field(default_factory=list, repr=False)
    _lasting: Trouble | None = field(default=None, repr=False)
    _running: int = 0
    _allowed_at: float = 0.0
    _last: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        self._service = Service(self._respond)
        self._stack.enter_context(serving(self._service, self.tls))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"{self._service.origin}/tsa"

    @property
    def queries(self) -> list[bytes]:
        """Return the bodies of all requests so far, refused ones too."""
        return [request.body for request in self._service.requests]

    @property
    def count(self) -> int:
        return len(self._service.requests)

    def fail(self, trouble: Trouble | None, times: int | None = None) -> None:
        """Let the next `times` answers be `trouble`, or all of them from now on; None ends all troubles."""
        with self._lock:
            self._troubles, self._lasting = [], None
            if trouble is not None and times is not None:
                self._troubles = [trouble] * times
            else:
                self._lasting = trouble

    def reply(self, query: bytes) -> bytes:
        """Return the answer of `openssl ts` to a TimeStampReq: a TimeStampResp, both in DER; also without a server."""
        if not self.unchecked:
            return self._openssl_ts(query, self.holder)
        return self._resigned(self._openssl_ts(query, make_tsa()))

    def _respond(self, request: Request) -> Answer:
        with self._lock:
            self._running += 1
            self.peak = max(self.peak, self._running)
            trouble = self._troubles.pop(0) if self._troubles else self._lasting
            trouble = trouble or self._hurried()
        try:
            time.sleep(self.delay)
            return self._answer(request, trouble)
        finally:
            with self._lock:
                self._running -= 1

    def _hurried(self) -> Trouble | None:
        now, is_early = time.monotonic(), time.monotonic() < self._allowed_at
        if self.interval and not is_early:
            self._allowed_at = now + self.interval
        return Trouble.TOO_MANY if self.interval and is_early else None

    def _answer(self, request: Request, trouble: Trouble | None) -> Answer:
        if request.headers.get("content-type") != QUERY:
            return Answer(415)
        if trouble in _STATUSES:
            return Answer(_STATUSES[trouble], headers={"Retry-After": self.retry_after} if self.retry_after else {})
        if trouble is Trouble.PAGE:
            return Answer(200, b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"})
        return Answer(200, self._body(request.body, trouble), {"Content-Type": REPLY}, _FAULTS.get(trouble or "", ""))

    def _body(self, query: bytes, trouble: Trouble | None) -> bytes:
        if trouble is Trouble.GARBAGE:
            return b"\xff" * 100
        if trouble is Trouble.HUGE:
            return bytes(_HUGE)
        if trouble is Trouble.REPLAY and self._last:
            return self._last
        if trouble is Trouble.REJECTION:
            return self._openssl_ts(query, self.holder, digests="md5")
        self._last = self.reply(_falsified(query, trouble))
        return self._last

    def _openssl_ts(self, query: bytes, holder: Holder, *, digests: str = "sha1, sha256, sha384, sha512") -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            text = _CONFIGURATION.format(
                folder=folder, policy=POLICY, digests=digests, certificate_hash=self.certificate_hash
            )
            (folder / "tsa.cnf").write_text(text)
            (folder / "serial").write_text(f"{secrets.randbits(62) | 1 << 62:X}\n")
            (folder / "query").write_bytes(query)
            files = holder.write(folder)
            signer: list[programs.Argument] = ["-signer", files.chain, "-inkey", files.key, "-chain", files.chain]
            asked: list[programs.Argument] = [
                f"-{self.signer_hash}",
                "-config",
                folder / "tsa.cnf",
                "-queryfile",
                folder / "query",
            ]
            self._run(["ts", "-reply", *asked, *signer], folder)
            return (folder / "out").read_bytes()

    def _resigned(self, reply: bytes) -> bytes:
        response = tsp.TimeStampResp.load(reply)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            content = response["time_stamp_token"]["content"]["encap_content_info"]["content"]
            (folder / "content").write_bytes(bytes(content))
            files = self.holder.write(folder)
            signer: list[programs.Argument] = ["-signer", files.chain, "-inkey", files.key, "-md", self.signer_hash]
            if self.holder.certificates[1:]:
                signer += ["-certfile", files.above]
            kind = ["-cades", "-binary", "-nodetach", "-outform", "DER", "-econtent_type", "id-smime-ct-TSTInfo"]
            self._run(["cms", "-sign", "-in", folder / "content", *signer, *kind], folder)
            token = cms.ContentInfo.load((folder / "out").read_bytes())
        return bytes(tsp.TimeStampResp({"status": response["status"], "time_stamp_token": token}).dump())

    def _run(self, arguments: list[programs.Argument], folder: Path) -> None:
        programs.demand(programs.openssl(*arguments, "-out", folder / "out", at=self.clock, folder=folder))


def _falsified(query: bytes, trouble: Trouble | None) -> bytes:
    """Return another query in the place of `query`: an authority that answers it answers wrongly."""
    request = tsp.TimeStampReq.load(query)
    if trouble is Trouble.WRONG_NONCE:
        request["nonce"] = (request["nonce"].native or 0) ^ 1
    elif trouble is Trouble.NO_NONCE:
        del request["nonce"]
    elif trouble is Trouble.WRONG_IMPRINT:
        right = request["message_imprint"]["hashed_message"].native
        request["message_imprint"]["hashed_message"] = bytes([right[0] ^ 1]) + right[1:]
    return bytes(request.dump(force=True))
