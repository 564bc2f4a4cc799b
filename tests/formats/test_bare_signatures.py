"""A signature over one thing must not become one over another: what CMS and DSSE sign is never signed as a bare file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hatch_sign.formats.asn1 import encode_der
from hatch_sign.formats.bare_signatures import is_to_be_signed
from hatch_sign.formats.cms.encoding import encode_attributes, encode_signed_data
from hatch_sign.formats.cms.signed_attributes import detached_attributes
from hatch_sign.formats.cms.verifier import CmsVerifier
from hatch_sign.formats.dsse import pre_authentication_encoding
from hatch_sign.formats.intoto import PAYLOAD_TYPE
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, encode_bundle, parse_bundle
from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.formats.sigstore.verifier import BundleVerifier
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import HEAD, Subject
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import key_hint
from tests.authority import Holder, code_signing_chain

if TYPE_CHECKING:
    from hatch_sign.contract import Finding

EVIL = b"what nobody has ever signed"


@pytest.fixture(scope="module")
def holder() -> Holder:
    return code_signing_chain("ecdsa-p256", 2)


def subject_of(data: bytes, name: str = "notes.txt") -> Subject:
    return Subject(name, len(data), {"sha256": hashlib.sha256(data).digest()}, data[:HEAD])


def attributes(holder: Holder, seal: KeySeal) -> bytes:
    return detached_attributes(hashlib.sha256(EVIL).digest(), holder.certificates[0], seal.now)


def finding_over_evil(holder: Holder, attributes_: bytes, signature: bytes) -> Finding:
    """Return what is found of a CMS signature that is put together from these attributes and somebody's signature."""
    forged = encode_signed_data(
        version=1,
        content_type="1.2.840.113549.1.7.1",
        content=None,
        attributes=attributes_,
        hash_="sha256",
        scheme=Scheme.ECDSA_SHA256,
        signature=signature,
        certificates=holder.certificates,
    )
    verifier = CmsVerifier()
    (finding,) = verifier.check(verifier.parse(forged), [subject_of(EVIL)], ()).values()
    return finding


def test_a_file_of_attributes_is_named_in_a_statement_and_its_signature_signs_nothing_else(holder: Holder) -> None:
    seal = KeySeal(holder.key, Scheme.ECDSA_SHA256)
    trap = attributes(holder, seal)
    bundle = parse_bundle(BundleProducer().sign(subject_of(trap), seal))
    assert not isinstance(bundle.content, MessageSignature)
    finding = finding_over_evil(holder, trap, bundle.signature)
    assert finding.problem is Verdict.UNTRUSTED
    assert "not by the ecdsa-p256 key" in finding.detail


def test_without_that_the_signature_would_be_good(holder: Holder) -> None:
    """The trap is real: a bare signature over it is one over something else."""
    seal = KeySeal(holder.key, Scheme.ECDSA_SHA256)
    trap = attributes(holder, seal)
    bare = seal.sign_digest(hashlib.sha256(trap).digest())
    finding = finding_over_evil(holder, trap, bare)
    assert finding.problem is None


@pytest.mark.parametrize("kind", ["attributes", "envelope"])
def test_a_bare_signature_over_what_is_to_be_signed_vouches_for_no_file(kind: str, holder: Holder) -> None:
    seal = KeySeal(holder.key, Scheme.ECDSA_SHA256)
    trap = attributes(holder, seal) if kind == "attributes" else pre_authentication_encoding(PAYLOAD_TYPE, b"{}")
    digest = hashlib.sha256(trap).digest()
    content = MessageSignature("sha256", digest, seal.sign_digest(digest))
    verifier = BundleVerifier()
    parsed = verifier.parse(encode_bundle(Bundle(content, hint=key_hint(seal.public_key))))
    (finding,) = verifier.check(parsed, [subject_of(trap)], [seal.public_key]).values()
    assert finding.problem is Verdict.MALFORMED
    assert "what CMS or DSSE sign in place of one" in finding.detail
    made = verifier.parse(BundleProducer().sign(subject_of(trap), seal))
    (finding,) = verifier.check(made, [subject_of(trap)], [seal.public_key]).values()
    assert finding.problem is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"DSSEv1 4 text 2 {}", True),
        (b"DSSEv1", False),
        (b"1\x02\x30\x00", True),
        (b"1\x02\x30\x00 ", False),
        (b"1\x02\x02\x00", False),
        (b"1\x81\x02\x30\x00", True),
        (b"1\x80\x30\x00", False),
        (b"1\x82\x01\x02\x30" + bytes(257), True),
        (b"1\x84\x00\x00\x00\x02\x30\x00", True),
        (b"1\xff\x30", False),
        (b"1\x00", False),
        (b"1", False),
        (b"", False),
        (b"PK\x03\x04", False),
        (b"\x1f\x8b\x08", False),
    ],
)
def test_what_is_to_be_signed(data: bytes, expected: bool) -> None:  # noqa: FBT001 - a parameter
    assert is_to_be_signed(subject_of(data)) is expected


@pytest.mark.parametrize("size", [0, 100, 200, 70_000])
def test_attributes_of_any_size_are_found(size: int) -> None:
    encoded = encode_attributes({"1.2.3": [encode_der(0x04, bytes(size))]})
    assert is_to_be_signed(subject_of(encoded))
