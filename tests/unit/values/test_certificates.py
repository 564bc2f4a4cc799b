"""Chains are put in order from the leaf, by who signed whom and not by names alone; what is damaged breaks nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.certificates import (
    complete_chain,
    describe_issuer,
    describe_subject,
    is_for_key,
    is_issued_by,
    names_issuer,
)
from hatch_sign.values.late_errors import late_errors
from hatch_sign.values.public_keys import as_public_key
from tests.certificate_damage import BIT_STRING, INTEGER, UNREADABLE, UTF8_STRING, with_damaged_name


def key(which: int) -> ec.EllipticCurvePrivateKey:
    made = private_key(KeyAlgorithm.ECDSA_P256, which)
    assert isinstance(made, ec.EllipticCurvePrivateKey)
    return made


def certificate(subject: str, issuer: str, *, of: int, by: int) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (issuer, subject)]
    builder = x509.CertificateBuilder(*names, key(of).public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(key(by), hashes.SHA256())


ROOT = certificate("root", "root", of=0, by=0)
MIDDLE = certificate("middle", "root", of=1, by=0)
LEAF = certificate("leaf", "middle", of=2, by=1)
NAMESAKE = certificate("middle", "root", of=3, by=0)


def test_a_chain_is_found_whatever_the_order_and_ends_with_its_root() -> None:
    assert complete_chain(LEAF, [ROOT, NAMESAKE, LEAF, MIDDLE, MIDDLE]) == [LEAF, MIDDLE, ROOT]


def test_a_chain_ends_where_an_issuer_is_missing() -> None:
    assert complete_chain(LEAF, [ROOT]) == [LEAF]


def test_a_namesake_is_no_issuer() -> None:
    assert is_issued_by(LEAF, MIDDLE)
    assert not is_issued_by(LEAF, NAMESAKE)
    assert not is_issued_by(LEAF, ROOT)


def test_a_certificate_is_for_its_own_key_only() -> None:
    assert is_for_key(LEAF, as_public_key(key(2).public_key(), subject="test"))
    assert not is_for_key(LEAF, as_public_key(key(1).public_key(), subject="test"))


class Damaged:
    """A certificate of whose name or key cryptography, before its version 50, says KeyError."""

    def public_key(self) -> object:
        raise KeyError

    def verify_directly_issued_by(self, issuer: object) -> None:
        raise KeyError(issuer)


def test_what_cannot_be_read_is_nobodys() -> None:
    assert not is_for_key(Damaged(), as_public_key(key(2).public_key(), subject="test"))  # type: ignore[arg-type] # stands for one
    assert not is_issued_by(Damaged(), ROOT)  # type: ignore[arg-type] # as above


DAMAGES = {
    "bits for text": (BIT_STRING, 0, TypeError),
    "a number for text": (INTEGER, 0x6C, ValueError),
    "bytes that are no text": (UTF8_STRING, 0xFF, ValueError),
}


@pytest.mark.parametrize(("tag", "first", "raised"), DAMAGES.values(), ids=DAMAGES)
def test_a_name_that_cannot_be_read_is_raised_late_and_said(tag: int, first: int, raised: type[Exception]) -> None:
    subject = with_damaged_name(LEAF, "leaf", tag=tag, first=first)
    issuer = with_damaged_name(LEAF, "middle", tag=tag, first=first)
    with pytest.raises(raised) as caught:
        _ = subject.subject
    assert isinstance(caught.value, late_errors())
    assert (describe_subject(subject), describe_issuer(subject)) == (UNREADABLE, "CN=middle")
    assert (describe_subject(issuer), describe_issuer(issuer)) == ("CN=leaf", UNREADABLE)


@pytest.mark.parametrize(("tag", "first"), [damage[:2] for damage in DAMAGES.values()], ids=DAMAGES)
def test_a_name_that_cannot_be_read_names_nobody(tag: int, first: int) -> None:
    damaged = with_damaged_name(LEAF, "middle", tag=tag, first=first)
    assert names_issuer(LEAF, MIDDLE)
    assert not names_issuer(damaged, MIDDLE)
    assert not is_issued_by(damaged, MIDDLE)
    assert complete_chain(damaged, [MIDDLE, ROOT]) == [damaged]
    assert not names_issuer(LEAF, with_damaged_name(LEAF, "leaf", tag=tag, first=first))
