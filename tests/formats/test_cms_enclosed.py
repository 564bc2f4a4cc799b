"""Signatures over content inside them: what is made is found again, and each change is told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract import Evidence
from hatch_sign.formats.asn1 import core
from hatch_sign.formats.cms.carrying import without_roots
from hatch_sign.formats.cms.enclosed import check_enclosed, sign_enclosed
from hatch_sign.formats.cms.parsing import SignedData, parse_signed_data
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import MalformedError, UnsupportedError, WitnessError
from hatch_sign.values.outcomes import Verdict
from tests.authority import code_signing_chain

from .cms_samples import Stamping, seal_of

if TYPE_CHECKING:
    from hatch_sign.contract import Finding, WitnessRequest
    from hatch_sign.testing.seals import KeySeal

CONTENT_TYPE, STAMPS, EXTRA = "2.999.1", "2.999.2", "2.999.3"
CONTENT, OTHER = core.OctetString(b"what is signed").dump(), core.OctetString(b"something else").dump()
SUBJECT = "the signature"
SCHEMES = {"ecdsa-p256": Scheme.ECDSA_SHA256, "ecdsa-p384": Scheme.ECDSA_SHA384, "rsa-3072": Scheme.RSA_PKCS1_SHA512}


class Misled(Stamping):
    """A witness whose timestamp is none."""

    def attest(self, request: WitnessRequest) -> Evidence:
        del request
        return Evidence("timestamp", b"no timestamp")


def signed(seal: KeySeal) -> SignedData:
    made = sign_enclosed(
        CONTENT,
        content_type=CONTENT_TYPE,
        seal=seal,
        certificates=without_roots(seal.certificates),
        timestamp=STAMPS,
        attributes={EXTRA: [CONTENT]},
    )
    return parse_signed_data(made, subject=SUBJECT)


def found(data: SignedData, content: bytes = CONTENT) -> Finding:
    return check_enclosed(data, content, timestamp=STAMPS, subject=SUBJECT)


@pytest.mark.parametrize("algorithm", SCHEMES)
def test_what_is_made_is_found_again(algorithm: str) -> None:
    holder = code_signing_chain(algorithm)
    data = signed(seal_of(holder, SCHEMES[algorithm]))
    (facts,) = found(data).facts
    assert facts.public_key == holder.key.public_key()
    assert (facts.scheme, facts.certificates, facts.timestamps) == (SCHEMES[algorithm], holder.certificates, ())
    assert data.content_type == CONTENT_TYPE
    assert data.signatures[0].attributes[EXTRA] == (CONTENT,)


def test_a_timestamp_goes_where_it_is_told_to_go() -> None:
    data = signed(seal_of(witnesses=[Stamping()]))
    assert found(data).facts[0].timestamps == data.signatures[0].unsigned[STAMPS] != ()
    assert check_enclosed(data, CONTENT, timestamp=EXTRA, subject=SUBJECT).facts[0].timestamps == ()


def test_other_content_is_a_mismatch() -> None:
    data = signed(seal_of())
    assert found(data, OTHER).problem is Verdict.HASH_MISMATCH
    swapped = replace(data, content=b"something else")
    assert found(swapped).problem is Verdict.HASH_MISMATCH
    assert found(swapped, OTHER).problem is Verdict.HASH_MISMATCH, "the signed digest is that of the first content"


def test_the_signature_of_another_key_is_not_trusted() -> None:
    data = signed(seal_of())
    (signature,) = data.signatures
    forged = replace(signature, signature=signed(seal_of()).signatures[0].signature[:-1] + b"\0")
    assert found(replace(data, signatures=(forged,))).problem is Verdict.UNTRUSTED
    assert found(replace(data, certificates=())).problem is Verdict.UNTRUSTED


def test_several_signatures_are_malformed() -> None:
    data = signed(seal_of())
    with pytest.raises(MalformedError, match="the signature is by 2 signers, expected one"):
        found(replace(data, signatures=data.signatures * 2))


def test_a_bare_key_signs_nothing() -> None:
    with pytest.raises(UnsupportedError, match="the key has none"):
        signed(seal_of(certificates=()))


def test_a_timestamp_that_is_none_ends_the_matter() -> None:
    with pytest.raises(WitnessError):
        signed(seal_of(witnesses=[Misled()]))
