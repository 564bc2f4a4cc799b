"""Requests, replies and tokens of RFC 3161: the good ones are read, and each mistake is told."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis.strategies import binary, booleans, builds, datetimes, fixed_dictionaries, integers, just, none, sampled_from

from hatch_sign.formats.rfc3161 import LARGEST, encode_request, parse_reply, parse_timestamp, token_of
from hatch_sign.values.errors import MalformedError
from tests.authority import Authority, Holder, make_key, make_tsa

from .stamps import GOOD, NONCE, POLICY, TIME, Stamp, changed, der, reply

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SIGNATURE = b"signature"
TSA = make_tsa("ecdsa-p256")
TOKEN = changed(holder=TSA).token()


def read(**fields: Any) -> Any:  # noqa: ANN401 - a Stamp's fields, and what is read of them
    return parse_timestamp(changed(**{"holder": TSA, **fields}).reply(SIGNATURE))


@cache
def another_certificate() -> Certificate:
    """Return one that is for the same key, under the same name, from the same authority."""
    assert TSA.authority is not None
    return TSA.authority.issue("Example Timestamp Authority", TSA.key, usage="timestamping")


# --- requests -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_", ["sha256", "sha384", "sha512"])
def test_a_request_asks_for_one_digest_and_for_the_certificates(hash_: str) -> None:
    imprint = hashlib.new(hash_, SIGNATURE).digest()
    request = tsp.TimeStampReq.load(encode_request(imprint, hash_=hash_, nonce=NONCE), strict=True).native
    assert request["message_imprint"]["hash_algorithm"]["algorithm"] == hash_
    assert request["message_imprint"]["hashed_message"] == imprint
    assert (request["version"], request["nonce"], request["cert_req"]) == ("v1", NONCE, True)
    assert request["req_policy"] is request["extensions"] is None


@pytest.mark.parametrize(("size", "nonce"), [(31, 1), (33, 1), (0, 1), (32, -1)])
def test_a_request_that_no_authority_could_answer_is_not_made(size: int, nonce: int) -> None:
    with pytest.raises(ValueError, match="expected a sha256 digest of 32 bytes and a nonce"):
        encode_request(bytes(size), hash_="sha256", nonce=nonce)


# --- replies --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1])
def test_a_reply_that_grants_holds_a_token(status: int) -> None:
    answer = parse_reply(reply(TOKEN, status=status, texts=["never shown"]))
    assert (answer.status, answer.failure, answer.token) == (status, "", TOKEN)
    with pytest.raises(MalformedError, match="reply holds no token, and its status is: granted"):
        parse_reply(reply(None, status=status))


@pytest.mark.parametrize(
    ("status", "texts", "failures", "expected"),
    [
        (2, [], [], "rejection"),
        (2, ["no way", "try SHA-256"], [0], "rejection: unrecognised or unsupported algorithm, no way, try SHA-256"),
        (2, [], [2, 5, 14], "rejection: transaction not permitted or supported, data in a wrong format, its time source "),
        (2, [], [15, 16, 17, 25], "rejection: unaccepted policy, unaccepted extension, additional information is not "),
        (3, [], [7], "waiting: failure 7"),
        (5, ["soon"], [], "revocation notification: soon"),
        (77, [], [], "status 77"),
        (2, ["\x1b[31mred\u202e\n"], [], "rejection: \\x1b[31mred\\u202e\\x0a"),
    ],
)
def test_a_refusal_says_why_on_one_line(status: int, texts: list[str], failures: list[int], expected: str) -> None:
    answer = parse_reply(reply(None, status=status, texts=texts, failures=failures))
    assert answer.token is None
    assert answer.failure.startswith(expected)
    with pytest.raises(MalformedError, match=r"^the timestamp authority granted no timestamp: "):
        token_of(reply(None, status=status, texts=texts, failures=failures))


def test_a_refusal_does_not_come_with_a_token() -> None:
    with pytest.raises(MalformedError, match="reply holds a token, and its status is: rejection"):
        parse_reply(reply(TOKEN, status=2))


def test_a_refusal_of_many_words_stays_short() -> None:
    answer = parse_reply(reply(None, status=2, texts=["x" * 1000] * 100, failures=list(range(26))))
    assert len(answer.failure) < 600


def test_a_token_is_found_in_its_reply_and_by_itself() -> None:
    assert token_of(reply(TOKEN)) == token_of(TOKEN) == TOKEN
    assert parse_timestamp(reply(TOKEN)) == parse_timestamp(TOKEN)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30\x00",
        b"\x06\x01\x2a",
        b"\x30\x03\x02\x01\x00",
        b"\x30\x05\x30\x03\x02\x01\x00\x00",
        reply(b"\x30\x00", status=0),
        reply(TOKEN) + b"\x00",
        TOKEN[:-1],
        b"<html>",
        b"\x30\x80" + TOKEN[4:] + b"\x00\x00",
        b"\x30\x06\x30\x04\x02\x01\x02\x03",
        reply(TOKEN + b"\x05\x00"),
    ],
)
def test_what_is_no_reply_and_no_token_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^(the timestamp|a certificate|the signer)"):
        parse_timestamp(data)


@pytest.mark.parametrize("parse", [parse_reply, parse_timestamp, token_of])
def test_what_is_too_long_is_not_looked_at(parse: Any) -> None:  # noqa: ANN401 - three functions
    with pytest.raises(MalformedError, match=f"has {LARGEST + 1} bytes, expected at most {LARGEST}"):
        parse(bytes(LARGEST + 1))


# --- good tokens ----------------------------------------------------------------------------------------------------------


def test_what_a_timestamp_says() -> None:
    found = read(accuracy={"seconds": 1, "millis": 2, "micros": 3})
    assert (found.time, found.hash, found.imprint) == (TIME, "sha256", hashlib.sha256(SIGNATURE).digest())
    assert (found.nonce, found.policy, found.accuracy) == (NONCE, POLICY, timedelta(microseconds=1_002_003))
    assert found.certificates == TSA.certificates
    assert found.vouches_for(SIGNATURE)
    assert not found.vouches_for(b"another")


@pytest.mark.parametrize(
    "fields",
    [
        {"nonce": None},
        {"ordering": True},
        {"authority_name": True},
        {"extensions": [("1.2.3.4", False)]},
        {"unsigned": [b"anything"]},
        {"identifiers": [(1, None)]},
        {"identifiers": [(1, None), (2, None)]},
        {"identifier_hash": "sha512"},
        {"issuer_serial": TSA.certificate},
        {"holder": make_tsa("rsa-2048", 3), "signer_hash": "sha512"},
        {"holder": make_tsa("ecdsa-p384", 4), "signer_hash": "sha384", "hash": "sha512"},
        {"certificates": (*TSA.certificates[::-1], another_certificate())},
    ],
)
def test_good_tokens_of_many_kinds(fields: dict[str, Any]) -> None:
    found = read(**fields)
    assert found.time == TIME
    assert found.vouches_for(SIGNATURE)
    assert found.certificates[0] == fields.get("holder", TSA).certificate


ACCURACIES = fixed_dictionaries(
    {"seconds": integers(0, 1 << 30)}, optional={"millis": integers(1, 999), "micros": integers(1, 999)}
)
STAMPS = builds(
    Stamp,
    holder=just(TSA),
    time=datetimes(min_value=TIME.replace(year=1000, tzinfo=None), timezones=just(UTC)),
    hash=sampled_from(["sha256", "sha384", "sha512"]),
    nonce=none() | integers(min_value=0, max_value=1 << 160),
    accuracy=none() | ACCURACIES,
    ordering=booleans(),
)


@given(stamp=STAMPS, signature=binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_whatever_an_authority_may_say_is_read_back(stamp: Stamp, signature: bytes) -> None:
    found = parse_timestamp(stamp.reply(signature))
    assert (found.time, found.hash, found.nonce) == (stamp.time, stamp.hash, stamp.nonce)
    said = stamp.accuracy or {}
    parts = {"seconds": "seconds", "millis": "milliseconds", "micros": "microseconds"}
    accuracy = timedelta(**{parts[name]: value for name, value in said.items()})
    assert found.accuracy == (None if stamp.accuracy is None else accuracy)
    assert found.vouches_for(signature)
    assert not found.vouches_for(signature + b"\x00")


@given(data=binary(max_size=400) | binary(max_size=60).map(lambda tail: TOKEN[:40] + tail))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for parse in (parse_reply, parse_timestamp, token_of):
        with contextlib.suppress(MalformedError):
            parse(data)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"20260601120000Z", TIME),
        (b"20260601120000.5Z", TIME + timedelta(milliseconds=500)),
        (b"20260601120000.1200Z", TIME + timedelta(milliseconds=120)),
        (b"20260601120000.123456789Z", TIME + timedelta(microseconds=123456)),
        (b"00010101000000Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_to_the_second_or_finer(written: bytes, expected: datetime) -> None:
    assert read(time=written).time == expected


def test_issuers_come_in_the_order_of_the_chain() -> None:
    long = make_tsa("ecdsa-p256", 4)
    (leaf, *issuers), stranger = long.certificates, Authority("stranger").certificate
    assert read(holder=long, certificates=[stranger, *issuers[::-1], leaf]).certificates == long.certificates


# --- tokens with one mistake ----------------------------------------------------------------------------------------------

NOT_MEANT = "holds 1 certificates of its signer's name, none of which it was made with"

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "two signers": ({"signers": [make_tsa("ecdsa-p384")]}, "the timestamp is signed 2 times, expected once"),
    "another content": ({"content_type": "data"}, "a signature of another kind of content than a time"),
    "another version": ({"version": 2}, "the timestamp is of version 2, expected 1"),
    "SHA-1 imprint": ({"hash": "sha1"}, "made with the hash sha1, expected one of"),
    "MD5 imprint": ({"hash": "md5"}, "made with the hash md5, expected one of"),
    "short imprint": ({"imprint": bytes(31)}, "the timestamp is over 31 bytes, expected the 32 of sha256"),
    "long imprint": ({"imprint": bytes(33)}, "the timestamp is over 33 bytes, expected the 32 of sha256"),
    "signed with SHA-1": ({"signer_hash": "sha1"}, "made with the hash sha1, expected one of"),
    "critical extension": ({"extensions": [("1.2.3", True)]}, "has the critical extension 1.2.3, which is not known"),
    "no signing-certificate": ({"identifiers": []}, "no signing-certificate among its signed attributes"),
    "of another certificate": (
        {"identifiers": [(2, another_certificate())]},
        NOT_MEANT,
    ),
    "the first of another, by SHA-1": (
        {"identifiers": [(1, another_certificate()), (2, None)]},
        NOT_MEANT,
    ),
    "the second of another": (
        {"identifiers": [(1, None), (2, another_certificate())]},
        NOT_MEANT,
    ),
    "the serial number of another": (
        {"issuer_serial": another_certificate()},
        NOT_MEANT,
    ),
    "identified by SHA-1 in v2": ({"identifier_hash": "sha1"}, "made with the hash sha1, expected one of"),
    "no certificates": ({"certificates": []}, "does not hold the certificate of its signer"),
    "certificates of others": ({"certificates": make_tsa().certificates}, "does not hold the certificate of its signer"),
    "too many certificates": (
        {"certificates": [*TSA.certificates, *(Authority(str(n)).certificate for n in range(16))]},
        "holds 17 certificates, expected at most 16",
    ),
    "bytes after the content": ({"trailing": b"\x00"}, "the timestamp is not DER: bytes follow it"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_token_that_is_signed_all_the_same(mistake: str) -> None:
    fields, reason = MISTAKES[mistake]
    with pytest.raises(MalformedError, match=reason.replace("(", r"\(")):
        read(**fields)
    assert read().vouches_for(SIGNATURE)


@pytest.mark.parametrize(
    "written",
    [
        b"20260601120000",
        b"20260601120000+0100",
        b"20260601120000.Z",
        b"20260601120000,5Z",
        b"202606011200Z",
        b"260601120000Z",
        b"20260601120060Z",
        b"20260631120000Z",
        b"00000101000000Z",
        b"20260601120000.0000000001Z",
        b" 0260601120000Z",
        "2026060112000\u0660Z".encode(),
        b"20260601120000Z\n",
        b"",
    ],
)
def test_a_time_of_another_form_is_malformed(written: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^the timestamp is (of the time .*expected one in UTC|not well-formed)"):
        read(time=written)


@pytest.mark.parametrize("accuracy", [{"seconds": 1 << 80}, {"seconds": -1 << 80}])
def test_an_accuracy_beyond_all_time_is_malformed(accuracy: dict[str, int]) -> None:
    with pytest.raises(MalformedError, match="a field of it is not what it should be"):
        read(accuracy=accuracy)


def test_a_key_outside_the_table_is_malformed() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - for this one key

    odd = Authority("odd").holder("odd", ec.generate_private_key(ec.SECP256K1()), usage="timestamping")
    with pytest.raises(
        MalformedError, match="the certificate in the timestamp is for a key of a kind that is not supported"
    ):
        read(holder=odd)


def test_a_signature_by_another_key_of_the_same_name_is_malformed() -> None:
    """The certificate inside is the one that is named and meant; the key that signed is a stranger's."""
    forged = Holder(make_key("ecdsa-p256"), TSA.certificates, TSA.root)
    with pytest.raises(MalformedError, match="its signature is not by the key of its certificate"):
        read(holder=forged)


def test_a_changed_time_is_malformed() -> None:
    assert TOKEN.count(b"20260601120000Z") == 1
    with pytest.raises(MalformedError, match="its content has another digest than the signed one"):
        parse_timestamp(TOKEN.replace(b"20260601120000Z", b"20250601120000Z"))


def test_a_certificate_inside_that_is_none_is_malformed() -> None:
    broken = bytearray(der(TSA.certificate))
    at = TOKEN.index(bytes(broken))
    version = TOKEN.index(b"\xa0\x03\x02\x01\x02", at)
    with pytest.raises(MalformedError, match="certificate"):
        parse_timestamp(TOKEN[: version + 4] + b"\x07" + TOKEN[version + 5 :])


def test_the_stamps_of_the_tests_differ_only_as_they_say() -> None:
    assert isinstance(GOOD, Stamp)
    assert changed(version=2).token() != GOOD.token()


def test_asn1crypto_has_nothing_left_to_work_out_in_threads() -> None:
    """At the first use of a class, asn1crypto fills tables of it: a second thread would find them half filled."""
    from asn1crypto import core  # noqa: PLC0415 - for this one test

    from hatch_sign.formats.cms import structures  # noqa: PLC0415 - as above

    def below(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - asn1crypto has no types
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    class Declared(core.Sequence):  # type: ignore[misc] # as above
        _fields = [("number", core.Integer)]  # noqa: RUF012 - asn1crypto's way to declare

    ready = core._SETUP_CLASSES
    assert structures.SignedDataContent in ready
    assert Declared in ready
    assert [kind for kind in below(core.Asn1Value) if kind not in ready] == [core.Choice]
