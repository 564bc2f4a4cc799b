"""The source of revocation lists and OCSP answers that asks a network: each address once in a run, nothing kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hatch_sign.remote.failures import Failure, FailureKind
from hatch_sign.remote.http import ask, shown_address
from hatch_sign.remote.http_messages import Question, Reply
from hatch_sign.remote.limits import QUICK, NetworkLimits
from hatch_sign.remote.retrying import Timing
from hatch_sign.revocation.places import lists_of, responders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography.x509 import Certificate

LARGEST_LIST = 10 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024
"""Bytes of a revocation list, and of an OCSP answer, that are read."""

PATIENCE = 90.0
"""Seconds that all questions of a run may take together; a consumer waits for them."""

_THREADS = 8
"""Questions at once: as many as a chain has certificates."""


@dataclass
class RevocationFetcher:
    """Fetches what the certificates of a chain name: an OCSP answer first, which is small, then the issuer's lists.

    `limits` are those of one question. What was fetched once, or could not be, is not asked for again. Used from one
    thread; its questions overlap.
    """

    limits: NetworkLimits = QUICK
    timing: Timing = field(default_factory=Timing)
    patience: float = PATIENCE
    _fetched: dict[Question, Reply | Failure] = field(default_factory=dict, init=False, repr=False)
    _ends: float | None = field(default=None, init=False, repr=False)
    _stopped: bool = field(default=False, init=False, repr=False)

    def expect(self, pairs: Sequence[tuple[Certificate, Certificate]]) -> None:
        """Ask, for each certificate with its issuer, the first address that it names: all at once."""
        firsts = (next(iter(_questions(*pair)), None) for pair in pairs)
        self._fetch_all([question for question in firsts if question is not None])

    def about(self, certificate: Certificate, issuer: Certificate) -> Iterator[bytes]:
        """Give what the addresses of `certificate` answer, each asked when it is its turn."""
        for question in _questions(certificate, issuer):
            self._fetch_all([question])
            answer = self._fetched[question]
            if isinstance(answer, Reply):
                yield answer.body

    def missing(self, certificate: Certificate) -> tuple[str, ...]:
        """Return which addresses of `certificate` gave nothing, and why."""
        places = {*responders_of(certificate), *lists_of(certificate)}
        if not places:
            return ("it names no address that can be asked",)
        return tuple(
            f"{shown_address(question.address)} {answer.found or f'failed ({answer.kind.value})'}"
            for question, answer in self._fetched.items()
            if isinstance(answer, Failure) and question.address in places
        )

    def _fetch_all(self, questions: Iterable[Question]) -> None:
        new = [question for question in dict.fromkeys(questions) if question not in self._fetched]
        if len(new) == 1:
            self._fetched[new[0]] = self._ask(new[0])
        elif new:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - one question needs no thread

            with ThreadPoolExecutor(min(_THREADS, len(new))) as pool:
                try:
                    self._fetched.update(zip(new, pool.map(self._ask, new), strict=True))
                except BaseException:  # Ctrl-C, which no other thread hears
                    self._stopped = True
                    pool.shutdown(cancel_futures=True)
                    raise

    def _ask(self, question: Question) -> Reply | Failure:
        now = self.timing.clock()
        if self._ends is None:
            self._ends = now + self.patience
        left = self._ends - now
        if left <= 0.0:
            return Failure(
                FailureKind.UNAVAILABLE, found=f"was not asked: all together took more than {self.patience:.0f} s"
            )
        limits = replace(self.limits, total=min(self.limits.total, left))
        return ask(question, limits=limits, timing=self.timing, stopped=lambda: self._stopped)


def _questions(certificate: Certificate, issuer: Certificate) -> Iterator[Question]:
    for address in responders_of(certificate):
        body = _ocsp_request(certificate, issuer)
        yield Question(address, "application/ocsp-response", LARGEST_ANSWER, body, "application/ocsp-request")
    for address in lists_of(certificate):
        yield Question(address, "application/pkix-crl", LARGEST_LIST)


def _ocsp_request(certificate: Certificate, issuer: Certificate) -> bytes:
    """Return the DER of a request without a nonce, in the form that every responder takes (RFC 5019 §2.1)."""
    from cryptography.hazmat.primitives.hashes import SHA1  # noqa: PLC0415 - where a responder is asked only
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above
    from cryptography.x509.ocsp import OCSPRequestBuilder  # noqa: PLC0415 - as above

    identifier = SHA1()  # noqa: S303 - it names the certificate, and secures nothing
    return OCSPRequestBuilder().add_certificate(certificate, issuer, identifier).build().public_bytes(Encoding.DER)
