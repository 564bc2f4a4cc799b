"""One authority: what is asked of it, what of its answers is believed, and how it is spared."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.contract import Evidence
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.registry import Registry
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import WitnessError
from hatch_sign.witnesses.rfc3161 import authority as module
from hatch_sign.witnesses.rfc3161.authority import LARGEST_REPLY, open_authority
from hatch_sign.witnesses.rfc3161.pace import LANES, MOST_REFUSALS
from tests.authority import Authority, make_key
from tests.formats.stamps import Stamp, reply
from tests.unit.services.https_server import Answer

from .stamping_server import QUERY, REPLY, Listener, StampingServer, changing, request_of, stamping

if TYPE_CHECKING:
    from hatch_sign.contract import WitnessRequest

AUTHORITY = Authority("Timestamping Root")
HUSH = "hush-hush"


def attest(server: StampingServer, request: WitnessRequest | None = None, query: str = "") -> Evidence:
    with open_authority(server.url + query, Listener().context) as authority:
        return authority.attest(request or request_of())


def refusal(server: StampingServer) -> str:
    """Return why nothing came of asking, held to what every error promises."""
    with pytest.raises(WitnessError) as caught:
        attest(server, query=f"?token={HUSH}")
    assert_presentable(caught.value, [HUSH])
    assert caught.value.message.startswith(f"timestamp authority {server.url} ")
    return caught.value.message.removeprefix(f"timestamp authority {server.url} ")


# --- what is asked, and what is believed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "hash_"), [(Scheme.ECDSA_SHA256, "sha256"), (Scheme.RSA_PKCS1_SHA384, "sha384"), (Scheme.ED25519, "sha256")]
)
def test_it_is_asked_about_the_signature_and_its_answer_is_evidence(scheme: Scheme, hash_: str) -> None:
    with stamping() as server:
        evidence = attest(server, request_of(b"the signature", scheme))
    (asked,) = server.service.requests
    assert (asked.method, asked.headers["content-type"], asked.headers["accept"]) == ("POST", QUERY, REPLY)
    query = tsp.TimeStampReq.load(asked.body)
    assert query["cert_req"].native is True
    assert query["message_imprint"]["hash_algorithm"]["algorithm"].native == hash_
    timestamp = parse_timestamp(evidence.data)
    assert evidence.kind == "timestamp"
    assert timestamp.vouches_for(b"the signature")
    assert timestamp.hash == hash_


def test_no_two_questions_are_alike() -> None:
    with stamping() as server, open_authority(server.url, Listener().context) as authority:
        for _ in range(20):
            authority.attest(request_of())
    nonces = {tsp.TimeStampReq.load(asked.body)["nonce"].native for asked in server.service.requests}
    assert len(nonces) == 20
    assert max(nonces).bit_length() > 100


def other_usage(critical: bool, *usages: x509.ObjectIdentifier) -> Callable[[Stamp], Stamp]:  # noqa: FBT001 - a word of X.509
    extensions = [(x509.ExtendedKeyUsage(usages), critical)] if usages else []
    return changing(holder=AUTHORITY.holder("Example", make_key("ecdsa-p256"), usage=None, extensions=extensions))


STAMPING, SIGNING = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (changing(nonce=7), "answered to another question than it was asked: its nonce is another"),
        (changing(nonce=None), "answered to another question than it was asked: its nonce is another"),
        (changing(imprint=b"\x00" * 32), "vouches for another signature than the one that it was asked about"),
        (changing(imprint=b"\x00" * 31), "answered wrongly: the timestamp is over 31 bytes"),
        (changing(version=2), "answered wrongly: the timestamp is of version 2"),
        (changing(certificates=()), "answered wrongly: the timestamp does not hold the certificate of its signer"),
        (changing(extensions=[("1.2.3", True)]), "answered wrongly: the timestamp has the critical extension"),
        (other_usage(True, SIGNING), "is none: its certificate is not for timestamping alone"),  # noqa: FBT003 - as above
        (other_usage(True, STAMPING, SIGNING), "is none: its certificate is not for timestamping alone"),  # noqa: FBT003 - whether it is critical
        (other_usage(False, STAMPING), "is none: its certificate is for timestamping, and does not say so critically"),  # noqa: FBT003 - whether it is critical
        (other_usage(True), "is none: its certificate names no extendedKeyUsage"),  # noqa: FBT003 - as above
    ],
)
def test_what_does_not_hold_is_not_believed(wrong: Callable[[Stamp], Stamp], found: str) -> None:
    with stamping(wrong=wrong) as server:
        assert refusal(server).startswith(found)
    assert server.count == 1  # what is wrong is not asked for again


def test_an_older_answer_does_not_pass_for_a_new_one() -> None:
    with stamping() as server:
        older = attest(server).data
        server.script(Answer(200, older, {"Content-Type": REPLY}))
        assert "another question" in refusal(server)


@pytest.mark.parametrize(
    ("data", "type_", "found"),
    [
        (reply(None, status=2, texts=["no\x1b[2J more"], failures=[0]), REPLY, r"granted no timestamp: rejection: .*\\x1b"),
        (b"\xff" * 100, REPLY, "answered wrongly: "),
        (b"", REPLY, "answered wrongly: "),
        (b"<title>Log in</title>", "text/html", "answered with text/html, expected application/timestamp-reply: "),
        (b"", "", "answered with something unnamed, expected application/timestamp-reply: "),
        (bytes(LARGEST_REPLY + 1), REPLY, f"sent more than {LARGEST_REPLY} bytes"),
    ],
    ids=["rejection", "garbage", "nothing", "portal", "untyped", "huge"],
)
def test_what_is_no_timestamp_is_told(data: bytes, type_: str, found: str) -> None:
    with stamping() as server:
        server.script(Answer(200, data, {"Content-Type": type_} if type_ else {}))
        assert re.match(found, refusal(server))


def test_a_timestamp_under_another_type_is_one_all_the_same() -> None:
    with stamping(wrap=lambda data: Answer(200, data, {"Content-Type": "application/octet-stream"})) as server:
        assert parse_timestamp(attest(server).data).vouches_for(b"signature")


def test_evidence_is_checked_against_the_very_signature() -> None:
    with stamping() as server, open_authority(server.url, Listener().context) as authority:
        evidence = authority.attest(request_of())
        authority.check(request_of(), evidence)
        with pytest.raises(WitnessError, match="vouches for another signature"):
            authority.check(request_of(b"another"), evidence)
        with pytest.raises(WitnessError, match="gave a timestamp that does not hold"):
            authority.check(request_of(), Evidence("timestamp", evidence.data[:-1]))
        with pytest.raises(WitnessError, match="gives timestamps, and this is none"):
            authority.check(request_of(), Evidence("log-entry", evidence.data))


# --- how it is spared ------------------------------------------------------------------------------------------------


def busy(seconds: str | None = "0", status: int = 429) -> Answer:
    return Answer(status, headers={} if seconds is None else {"Retry-After": seconds})


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_patience_gets_it(status: int) -> None:
    with stamping() as server:
        server.script(*[busy(status=status)] * (MOST_REFUSALS - 1))
        attest(server)
    assert server.count == MOST_REFUSALS


def test_after_a_refusal_one_asks_at_a_time() -> None:
    with stamping() as server, open_authority(server.url, Listener().context) as authority:

        def slowly(data: bytes) -> Answer:
            time.sleep(0.01)  # long enough that others could come in between
            return Answer(200, data, {"Content-Type": REPLY})

        server.wrap = slowly
        server.script(busy())
        with ThreadPoolExecutor(12) as pool:
            evidence = list(pool.map(lambda number: authority.attest(request_of(b"%d" % number)), range(24)))
        server.peak = 0
        with ThreadPoolExecutor(12) as pool:
            evidence += pool.map(lambda number: authority.attest(request_of(b"%d" % number)), range(24, 36))
    assert all(parse_timestamp(each.data).vouches_for(b"%d" % number) for number, each in enumerate(evidence))
    assert server.peak == 1
    assert server.count == 37


def test_requests_overlap_but_not_all_at_once() -> None:
    """No answer goes out before as many questions as may are there: with fewer at once, none ever would."""
    together = threading.Barrier(LANES, timeout=120)
    with stamping() as server, open_authority(server.url, Listener().context) as authority:

        def together_only(data: bytes) -> Answer:
            together.wait()
            return Answer(200, data, {"Content-Type": REPLY})

        server.wrap = together_only
        with ThreadPoolExecutor(3 * LANES) as pool:
            list(pool.map(lambda number: authority.attest(request_of(b"%d" % number)), range(6 * LANES)))
    assert (server.peak, server.count) == (LANES, 6 * LANES)


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFAULT_PAUSE", 0.0)
    with stamping() as server:
        server.script(*[busy(None)] * (MOST_REFUSALS + 1))
        assert refusal(server) == "asked for fewer calls (429), again and again"
    assert server.count == MOST_REFUSALS


def test_a_pause_of_an_hour_is_not_made() -> None:
    with stamping() as server:
        server.script(busy("3600"))
        assert refusal(server).endswith("wants 3600 s of patience, beyond the limit of 60 s")
    assert server.count == 1


def test_one_that_does_not_answer_is_not_waited_for_by_all() -> None:
    with stamping() as server, open_authority(server.url, Listener().context) as authority:
        server.script(*[Answer(403)] * 100)
        found = []
        for _ in range(10):
            with pytest.raises(WitnessError) as caught:
                authority.attest(request_of())
            found.append(caught.value.message.removeprefix(f"timestamp authority {server.url} "))
    assert found == ["refused (403)"] * 3 + ["was not asked again, because it had not answered for a while"] * 7
    assert server.count == 3


def test_a_run_that_is_given_up_asks_nobody() -> None:
    listener = Listener()
    listener.context.stop()
    found = "was not asked, because the run is being given up"
    with (
        stamping() as server,
        open_authority(server.url, listener.context) as authority,
        pytest.raises(WitnessError, match=found),
    ):
        authority.attest(request_of())
    assert server.count == 0


def test_the_core_brings_it_along_and_asks_nobody_before_the_first_signature() -> None:
    with stamping() as server, Registry().witness("rfc3161").connect(server.url, Listener().context) as authority:
        assert authority.kind == "timestamp"
        assert server.count == 0
        authority.check(request_of(), authority.attest(request_of()))
    assert server.count == 1
