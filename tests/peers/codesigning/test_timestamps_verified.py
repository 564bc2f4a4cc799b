"""Timestamps that openssl made are read, and openssl and we agree on which are good and which are not."""

from __future__ import annotations

import hashlib
import io
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.formats.rfc3161 import encode_request, parse_reply, parse_timestamp
from hatch_sign.trust.timestamps import check_timestamp
from hatch_sign.values.errors import MalformedError
from hatch_sign_authenticode.verifier import AuthenticodeVerifier
from tests.authority import Authority, Holder, chain_pem, make_tsa

from .corpus import vendor_signed
from .programs import openssl, openssl_ts_verify
from .tsa import POLICY, TimestampServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hatch_sign.contract import Facts
    from hatch_sign.formats.rfc3161 import Timestamp
    from tests.peers.rigs import PeerResult

    from .corpus import PeSample

SIGNATURE = b"a signature that is stamped"
DAY = timedelta(days=1)


def ask(authority: TimestampServer, *, hash_: str = "sha256", signature: bytes = SIGNATURE) -> tuple[bytes, int]:
    """Return an authority's reply, and the nonce that was asked for."""
    nonce = secrets.randbits(80)
    return authority.reply(encode_request(hashlib.new(hash_, signature).digest(), hash_=hash_, nonce=nonce)), nonce


def doubt(timestamp: Timestamp, root: x509.Certificate) -> str:
    return check_timestamp(timestamp, roots=[root], at=datetime.now(UTC))


@pytest.mark.parametrize("hash_", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    ("algorithm", "length", "signer_hash", "certificate_hash"),
    [
        ("rsa-2048", 2, "sha256", "sha1"),
        ("rsa-3072", 3, "sha512", "sha256"),
        ("ecdsa-p256", 4, "sha256", "sha256"),
        ("ecdsa-p384", 2, "sha384", "sha384"),
    ],
)
def test_openssl_and_we_agree(algorithm: str, length: int, signer_hash: str, certificate_hash: str, hash_: str) -> None:
    holder = make_tsa(algorithm, length)
    reply, nonce = ask(TimestampServer(holder, signer_hash=signer_hash, certificate_hash=certificate_hash), hash_=hash_)
    timestamp = parse_timestamp(reply)
    assert abs(timestamp.time - datetime.now(UTC)) < DAY
    assert (timestamp.hash, timestamp.nonce, timestamp.policy) == (hash_, nonce, POLICY)
    assert timestamp.accuracy == timedelta(seconds=1)
    assert timestamp.certificates == holder.certificates
    assert timestamp.vouches_for(SIGNATURE)
    assert doubt(timestamp, holder.root) == ""
    assert openssl_ts_verify(reply, SIGNATURE, holder.root).accepted
    assert openssl_ts_verify(timestamp.token, SIGNATURE, holder.root, is_token=True).accepted


def test_both_refuse_it_for_another_signature() -> None:
    reply, _ = ask(TimestampServer())
    assert not parse_timestamp(reply).vouches_for(b"another")
    assert "imprint" in openssl_ts_verify(reply, b"another", make_tsa().root).output


def test_both_refuse_it_under_another_root() -> None:
    reply, _ = ask(TimestampServer())
    other = Authority("Timestamping Root").certificate
    assert doubt(parse_timestamp(reply), other).startswith("the timestamp is by no configured authority")
    assert "certificate" in openssl_ts_verify(reply, SIGNATURE, other).output


@pytest.mark.parametrize("part", ["time", "imprint", "signature", "certificate"])
def test_both_refuse_what_one_byte_was_changed_in(part: str) -> None:
    reply, _ = ask(TimestampServer())
    token = parse_reply(reply).token or b""
    place = {
        "time": token.index(b"Z", token.index(hashlib.sha256(SIGNATURE).digest())) - 8,
        "imprint": token.index(hashlib.sha256(SIGNATURE).digest()),
        "signature": len(token) - 8,
        "certificate": token.index(make_tsa().certificate.signature) + 40,
    }[part]
    before = token[place : place + 8]  # Wherever these bytes are: openssl puts the certificate of the signer in twice.
    changed = token.replace(before, bytes([before[0] ^ 1]) + before[1:])
    with pytest.raises(MalformedError):
        parse_timestamp(changed)
    assert not openssl_ts_verify(changed, SIGNATURE, make_tsa().root, is_token=True).accepted
    assert openssl_ts_verify(token, SIGNATURE, make_tsa().root, is_token=True).accepted


@pytest.mark.parametrize(
    ("purposes", "critical", "reason"),
    [
        ([ExtendedKeyUsageOID.CODE_SIGNING], True, "not for timestamping alone"),
        ([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING], True, "not for timestamping alone"),
        ([ExtendedKeyUsageOID.TIME_STAMPING], False, "does not say so critically"),
        ([], False, "names no extendedKeyUsage"),
    ],
)
def test_both_refuse_who_is_no_timestamp_authority(
    purposes: list[x509.ObjectIdentifier],
    critical: bool,  # noqa: FBT001 - a parameter
    reason: str,
) -> None:
    above = Authority("Timestamping Root")
    usage = [(x509.ExtendedKeyUsage(purposes), critical)] if purposes else []
    holder = above.holder("signs time", usage=None, extensions=usage)
    reply, _ = ask(TimestampServer(holder, unchecked=True))
    timestamp = parse_timestamp(reply)
    assert timestamp.vouches_for(SIGNATURE)
    assert reason in doubt(timestamp, above.certificate)
    assert "unsuitable certificate purpose" in openssl_ts_verify(reply, SIGNATURE, above.certificate).refusal
    good = above.holder("stamps", usage="timestamping")
    resigned, _ = ask(TimestampServer(good, unchecked=True))
    assert doubt(parse_timestamp(resigned), above.certificate) == ""
    assert openssl_ts_verify(resigned, SIGNATURE, above.certificate).accepted


def test_both_refuse_a_certificate_that_had_ended() -> None:
    """While we judge at the timestamp's own time, openssl judges at the present: so it is asked about that time."""
    above, now = Authority("Timestamping Root"), datetime.now(UTC)
    holder = above.holder("ended", usage="timestamping", not_before=now - 90 * DAY, not_after=now - 30 * DAY)
    for moment, good in ((now - 60 * DAY, True), (now - 10 * DAY, False)):
        reply, _ = ask(TimestampServer(holder, unchecked=True, clock=moment))
        resigned = _at(holder, moment)
        assert (doubt(parse_timestamp(resigned), above.certificate) == "") is good
        assert openssl_ts_verify(resigned, SIGNATURE, above.certificate, at=moment).accepted is good
        assert parse_timestamp(reply).certificates == holder.certificates


def _at(holder: Holder, moment: datetime) -> bytes:
    reply, _ = ask(TimestampServer(holder, unchecked=True, clock=moment))
    assert abs(parse_timestamp(reply).time - moment) < DAY
    return reply


def test_timestamps_of_microsoft_are_read(tmp_path: Path) -> None:
    """They have milliseconds, a certificate with the root left out, and stand in programs that people install today."""
    stamps = {facts.signature: facts.timestamps for sample in vendor_signed() for facts in _facts(sample)}
    read = {signature: parse_timestamp(stamp) for signature, (stamp,) in stamps.items()}
    assert len(read) > 20
    assert any(timestamp.time.microsecond for timestamp in read.values())
    asked = set()
    for signature, timestamp in read.items():
        leaf, issuer = timestamp.certificates
        assert timestamp.vouches_for(signature)
        assert doubt(timestamp, issuer) == ""
        if leaf not in asked:
            asked.add(leaf)
            assert _openssl_cms(tmp_path, timestamp, timestamp.token).accepted
            changed = timestamp.token[:-1] + bytes([timestamp.token[-1] ^ 1])
            assert "CMS Verification failure" in _openssl_cms(tmp_path, timestamp, changed).refusal


def _openssl_cms(folder: Path, timestamp: Timestamp, token: bytes) -> PeerResult:
    """Ask openssl of the token as a CMS signature: `openssl ts` reads none that holds attribute certificates as well."""
    (folder / "token").write_bytes(token)
    (folder / "issuer").write_bytes(chain_pem(timestamp.certificates[1]))
    trust = ["-CAfile", folder / "issuer", "-partial_chain", "-purpose", "timestampsign"]
    moment = ["-attime", str(int(timestamp.time.timestamp()))]
    return openssl("cms", "-verify", "-inform", "DER", "-in", folder / "token", *trust, *moment, "-out", folder / "content")


def _facts(sample: PeSample) -> Sequence[Facts]:
    return AuthenticodeVerifier().check(sample.name, io.BytesIO(sample.load()), ()).facts
