from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.contract import Evidence
from hatch_sign.formats.asn1 import parse_der
from hatch_sign.formats.cms.parsing import MAX_SIZE, parse_signed_data
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, MalformedError, UnsupportedError, WitnessError
from hatch_sign_authenticode.content import ImageContent, PageHashes
from hatch_sign_authenticode.making import make_signature
from hatch_sign_authenticode.pe import parse_pe
from hatch_sign_authenticode.producer import AuthenticodeProducer
from hatch_sign_authenticode.signatures import MAX_SIGNATURES, Signature, parse_signatures
from hatch_sign_authenticode.structures import OPUS_INFO, STATEMENT_TYPE, TIMESTAMP, SpcSpOpusInfo
from tests.authority import code_signing_chain
from tests.formats.stamps import Stamp

from .images import ARM64, I386, make_image, patched
from .signing import IMAGE, check, make_seal, sign, signatures_in, signer, with_signatures

if TYPE_CHECKING:
    from hatch_sign.contract import WitnessRequest

PRODUCER = AuthenticodeProducer()
NESTED = {"authenticode-nested": True}
HASHES = {"sha256": Scheme.RSA_PKCS1_SHA256, "sha384": Scheme.RSA_PKCS1_SHA384, "sha512": Scheme.RSA_PKCS1_SHA512}


@dataclass
class Clock:
    """A witness that answers with `data`, or with a token over the signature."""

    data: bytes | None = None
    kind: str = "timestamp"

    def attest(self, request: WitnessRequest) -> Evidence:
        return Evidence(self.kind, Stamp().reply(request.signature) if self.data is None else self.data)

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Accept everything."""


def the_signature(image: bytes) -> Signature:
    (found,) = parse_signatures(signatures_in(image))
    assert isinstance(found, Signature)
    return found


# --- by what it signs


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ED25519])
def test_keys_that_windows_does_not_accept_are_refused_with_the_reason(algorithm: KeyAlgorithm) -> None:
    key = private_key(algorithm).public_key()
    assert PRODUCER.schemes(key) == []
    with pytest.raises(UnsupportedError, match=f"an {algorithm.value} key makes no Authenticode signature that Windows"):
        PRODUCER.choose_schemes(key, {})


def test_the_hash_is_chosen_by_an_option() -> None:
    key = signer().key.public_key()
    assert list(PRODUCER.choose_schemes(key, {})) == list(HASHES.values())
    for hash_, scheme in HASHES.items():
        assert PRODUCER.choose_schemes(key, {"authenticode-hash": hash_}) == [scheme]
    with pytest.raises(ConfigurationError, match="`authenticode-hash` is 'sha1', expected one of sha256, sha384, sha512"):
        PRODUCER.choose_schemes(key, {"authenticode-hash": "sha1"})


@pytest.mark.parametrize("hash_", HASHES)
def test_the_file_the_attributes_and_the_signature_share_one_hash(hash_: str) -> None:
    found = the_signature(sign(scheme=HASHES[hash_]))
    assert (found.content.hash, found.cms.hash, found.cms.scheme) == (hash_, hash_, HASHES[hash_])


def test_a_scheme_that_windows_does_not_accept_is_refused_before_it_signs() -> None:
    with pytest.raises(UnsupportedError, match=r"cannot be made with rsa-pss-sha256, expected RSA PKCS #1 v1\.5"):
        sign(scheme=Scheme.RSA_PSS_SHA256)


# --- what it signs


def test_no_digest_of_the_whole_file_is_asked_for() -> None:
    assert PRODUCER.digests(Scheme.RSA_PKCS1_SHA256) == frozenset()


@pytest.mark.parametrize("machine", [I386, ARM64])
def test_every_machine(machine: int) -> None:
    assert len(check(sign(make_image(machine=machine))).facts) == 1


def test_the_structure_is_the_one_that_signtool_writes() -> None:
    (blob,) = signatures_in(sign())
    signed = parse_signed_data(blob, subject="the signature")
    assert signed.content_type == "1.3.6.1.4.1.311.2.1.4"
    (cms,) = signed.signatures
    assert set(cms.attributes) == {"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", STATEMENT_TYPE, OPUS_INFO}
    assert cms.attributes[STATEMENT_TYPE] == (bytes.fromhex("300c060a2b060104018237020115"),)
    assert cms.attributes[OPUS_INFO] == (b"\x30\x00",)
    assert cms.unsigned == {}
    # PKCS #7, version 1, and algorithms with NULL for parameters, as other signers write them.
    sha256, rsa = bytes.fromhex("300d06096086480165030402010500"), bytes.fromhex("300d06092a864886f70d0101010500")
    assert bytes.fromhex("020101310f") + sha256 in blob
    assert rsa in blob
    assert b"\x00<\x00<\x00<\x00O\x00b\x00s\x00o\x00l\x00e\x00t\x00e\x00>\x00>\x00>" in blob


def test_the_root_stays_outside() -> None:
    holder = signer()
    with_root = replace(holder, certificates=(*holder.certificates, holder.root))
    assert list(check(sign(holder=with_root)).facts[0].certificates) == list(holder.certificates)
    assert list(PRODUCER.carries(make_seal(holder=with_root))) == list(holder.certificates)


def test_a_leaf_that_signed_itself_is_carried() -> None:
    alone = code_signing_chain("rsa-3072", 1)
    assert list(check(sign(holder=alone)).facts[0].certificates) == list(alone.certificates)


def test_a_key_without_certificate_is_refused_before_it_signs() -> None:
    with pytest.raises(UnsupportedError, match="the key has none; set `certificates`"):
        sign(holder=replace(signer(), certificates=()))


def test_description_and_address_are_what_windows_shows() -> None:
    options = {"authenticode-description": "Prüfung ✓ 𝄞", "authenticode-url": "https://example.org/?a=b"}
    (encoded,) = the_signature(sign(options=options)).cms.attributes[OPUS_INFO]
    info = parse_der(SpcSpOpusInfo, encoded, subject="the attribute", longest=1000)
    assert info["program_name"].chosen.contents.decode("utf-16-be") == "Prüfung ✓ 𝄞"
    assert info["more_info"].chosen.native == "https://example.org/?a=b"


def test_an_address_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"`authenticode-url` is .*, expected ASCII; write the host in Punycode"):
        sign(options={"authenticode-url": "https://prüfung.example/"})


def test_page_hashes_are_of_sha256_whatever_the_file_is_signed_with() -> None:
    options = {"authenticode-page-hashes": True}
    content = the_signature(sign(options=options, scheme=Scheme.RSA_PKCS1_SHA512)).content
    assert content.pages is not None
    assert content.pages.hash == "sha256"
    assert the_signature(sign()).content.pages is None


def test_page_hashes_that_would_make_the_signature_too_large_are_refused() -> None:
    content = ImageContent("sha256", bytes(32), PageHashes("sha256", bytes(MAX_SIZE // 2)))
    with pytest.raises(UnsupportedError, match=r"the hashes of its pages take .* bytes, expected at most 2097152; unset"):
        make_signature(content, make_seal(), signer().certificates)


# --- into what


@pytest.mark.parametrize("data", [b"", b"MZ", b"PK\3\4" + bytes(100), b"MZ" + bytes(100), b"\x7fELF" + bytes(100)])
def test_other_files_are_left_alone(data: bytes) -> None:
    target = io.BytesIO()
    bare: Any = replace(make_seal(), certificates=())
    assert PRODUCER.embed(io.BytesIO(data), target, bare) is False
    assert target.getvalue() == b""


def test_a_file_that_cannot_be_signed_safely_is_refused_before_it_signs() -> None:
    assert "it has 4 data directories" in refused(patched(IMAGE, "directory-count", 4), {})
    assert "not a well-formed PE file" in refused(patched(IMAGE, "first-offset", len(IMAGE)), {})


def test_an_older_signature_is_replaced() -> None:
    older = sign(scheme=Scheme.RSA_PKCS1_SHA512)
    assert sign(older) == sign()


def test_an_older_signature_is_kept_where_the_new_one_is_nested() -> None:
    older = sign(scheme=Scheme.RSA_PKCS1_SHA512, options={"authenticode-description": "older"})
    nested = sign(sign(older, {"authenticode-nested": True}), {"authenticode-nested": True}, scheme=HASHES["sha384"])
    first, *others = parse_signatures(signatures_in(nested))
    assert isinstance(first, Signature)
    assert first.cms.signed == the_signature(older).cms.signed
    assert first.cms.signature == the_signature(older).cms.signature
    assert {each.cms.hash for each in others if isinstance(each, Signature)} == {"sha256", "sha384"}
    assert {facts.scheme.hash for facts in check(nested).facts} == {"sha512", "sha256", "sha384"}
    assert parse_pe(io.BytesIO(nested)).table is not None


def test_nesting_in_an_unsigned_file_is_signing_it() -> None:
    assert sign(options={"authenticode-nested": True}) == sign()


def test_nesting_keeps_the_timestamp_of_the_first() -> None:
    older = sign(witnesses=(Clock(),))
    first, second = parse_signatures(signatures_in(sign(older, {"authenticode-nested": True})))
    assert isinstance(first, Signature)
    assert isinstance(second, Signature)
    assert (first.timestamps, second.timestamps) == (the_signature(older).timestamps, ())


@dataclass(frozen=True)
class Counting(KeySeal):
    """Remembers what it signed."""

    signed: list[bytes] = field(default_factory=list)

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        return super().sign(message)


def refused(image: bytes, options: dict[str, Any]) -> str:
    """Return why nothing is signed into the image, which the key was not asked for."""
    seal = make_seal(options)
    counting = Counting(seal.key, seal.scheme, seal.certificates, options=options)
    with pytest.raises((MalformedError, UnsupportedError)) as caught:
        PRODUCER.embed(io.BytesIO(image), io.BytesIO(), counting)
    assert counting.signed == []
    return str(caught.value)


def test_nothing_is_nested_in_what_is_malformed() -> None:
    assert "the signature is not well-formed" in refused(with_signatures(b"\x30\x03\x02\x01\x07"), NESTED)


def test_no_more_signatures_are_nested_than_verifiers_read() -> None:
    image = sign()
    for _ in range(MAX_SIGNATURES - 1):
        image = sign(image, NESTED)
    assert len(check(image).facts) == MAX_SIGNATURES
    assert f"the file holds {MAX_SIGNATURES} signatures already" in refused(image, NESTED)


# --- with whose witness


def test_the_timestamp_is_over_the_signature_and_where_windows_looks_for_it() -> None:
    found = the_signature(sign(witnesses=(Clock(),)))
    (token,) = found.cms.unsigned[TIMESTAMP]
    assert parse_timestamp(token).vouches_for(found.cms.signature)


def test_a_timestamp_that_is_none_never_reaches_a_file() -> None:
    with pytest.raises(WitnessError, match="the timestamp is not"):
        sign(witnesses=(Clock(b"garbage"),))


def test_an_entry_of_a_log_has_no_place() -> None:
    assert sign(witnesses=(Clock(b"{}", kind="log-entry"),)) == sign()
