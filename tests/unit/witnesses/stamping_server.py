"""A timestamp authority on the loopback that makes its tokens in Python: quick, and wrong in any way that is wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from asn1crypto import tsp

from hatch_sign.contract import WitnessRequest
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.public_keys import as_public_key
from tests.authority import Holder, make_tsa
from tests.formats.stamps import Stamp, reply
from tests.unit.services.https_server import Answer, Request, Service, serving

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
KEY = private_key(KeyAlgorithm.ECDSA_P256)


@dataclass
class StampingServer:
    """`wrong` makes another stamp of the right one; `scripted` answers are given first. `peak` is how many asked at once."""

    holder: Holder = field(default_factory=lambda: make_tsa("ecdsa-p256"))
    wrong: Callable[[Stamp], Stamp] = lambda stamp: stamp
    wrap: Callable[[bytes], Answer] = lambda data: Answer(200, data, {"Content-Type": REPLY})
    service: Service = field(init=False)
    peak: int = 0
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.service = Service(self._answer)

    @property
    def url(self) -> str:
        return self.service.origin + "/tsa"

    @property
    def count(self) -> int:
        return len(self.service.requests)

    def script(self, *answers: Answer) -> None:
        self.service.scripted += answers

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
        try:
            return self.wrap(reply(self.wrong(self._right(request.body)).token()))
        finally:
            with self._lock:
                self._under_way -= 1

    def _right(self, query: bytes) -> Stamp:
        asked = tsp.TimeStampReq.load(query)
        imprint = asked["message_imprint"]
        return Stamp(
            self.holder,
            time=datetime.now(UTC).replace(microsecond=0),
            hash=imprint["hash_algorithm"]["algorithm"].native,
            imprint=imprint["hashed_message"].native,
            nonce=asked["nonce"].native,
        )


@contextmanager
def stamping(**options: object) -> Iterator[StampingServer]:
    server = StampingServer(**options)  # type: ignore[arg-type] # its own fields
    with serving(server.service, None):
        yield server


def changing(**fields: object) -> Callable[[Stamp], Stamp]:
    return lambda stamp: replace(stamp, **fields)  # type: ignore[arg-type] # a Stamp's


def request_of(signature: bytes = b"signature", scheme: Scheme = Scheme.ECDSA_SHA256) -> WitnessRequest:
    return WitnessRequest(signature, b"digest", scheme, as_public_key(KEY.public_key(), subject="the key of the test"))


class Listener:
    """A run's context, and the warnings that it was told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.context = RunContext({}, on_warning=self.warnings.append)
