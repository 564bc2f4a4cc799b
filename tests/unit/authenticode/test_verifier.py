from __future__ import annotations

import io
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hatch_sign.formats.asn1 import core, encode_der
from hatch_sign.formats.cms.encoding import replace_unsigned
from hatch_sign.formats.cms.parsing import DATA, MAX_SIZE
from hatch_sign.formats.cms.structures import ContentInfo, SignerInfo
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.outcomes import Verdict
from hatch_sign_authenticode.content import ImageContent, PageHashes, encode_content
from hatch_sign_authenticode.pe import digest, page_hashes, parse_pe
from hatch_sign_authenticode.signatures import MAX_SIGNATURES
from hatch_sign_authenticode.structures import NESTED_SIGNATURE, PE_IMAGE_DATA, TIMESTAMP
from hatch_sign_authenticode.verifier import AuthenticodeVerifier
from tests.authority import Authority, Holder, code_signing_chain
from tests.formats.mutating import first_seed, mutation_count

from .images import make_image, patched, places, with_table
from .signing import (
    IMAGE,
    Crafted,
    check,
    content_of,
    sign,
    signatures_in,
    signer,
    with_sha1,
    with_signatures,
    without_certificate,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

MUTATIONS = mutation_count(300)
DIGEST = digest(io.BytesIO(IMAGE), parse_pe(io.BytesIO(IMAGE)), "sha256")
PAGES = page_hashes(io.BytesIO(IMAGE), parse_pe(io.BytesIO(IMAGE)), "sha256")


def problem(image: bytes) -> tuple[Verdict | None, str]:
    found = check(image)
    assert found.facts == () or found.problem is None
    return found.problem, found.detail


def crafted(**wrong: object) -> bytes:
    return with_signatures(Crafted(**wrong).encode())


def paged(hash_: str, table: bytes) -> bytes:
    return encode_content(ImageContent("sha256", DIGEST, PageHashes(hash_, table)))


# --- what there is to find


def test_what_is_proven() -> None:
    (facts,) = check(sign()).facts
    assert facts.public_key == signer().key.public_key()
    assert facts.scheme is Scheme.RSA_PKCS1_SHA256
    assert list(facts.certificates) == list(signer().certificates)
    assert (facts.timestamps, facts.log_entries, facts.claims_name) == ((), (), False)


def test_a_crafted_signature_is_as_good_as_one_that_was_made() -> None:
    assert len(check(crafted()).facts) == 1


def test_where_there_is_nothing() -> None:
    assert problem(b"another kind of file") == (Verdict.NOT_APPLICABLE, "")
    assert problem(IMAGE) == (Verdict.UNSIGNED, "")
    assert problem(patched(IMAGE, "directory-count", 4))[0] is Verdict.UNSIGNED
    verdict, detail = problem(patched(IMAGE, "first-offset", len(IMAGE)))
    assert (verdict, detail.partition(":")[0]) == (Verdict.MALFORMED, "not a well-formed PE file")


def test_a_file_that_cannot_be_read_is_no_malformed_one() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            del size
            raise OSError(5, "Input/output error")

    found = AuthenticodeVerifier().check("example.exe", Broken(), [])
    assert (found.problem, found.detail) == (Verdict.INDETERMINATE, "the file cannot be read: Input/output error")


def test_any_byte_that_is_signed_counts() -> None:
    signed = sign()
    content_end = parse_pe(io.BytesIO(signed)).content_end
    free = {*range(*_field(signed, "checksum", 4)), *range(*_field(signed, "table-offset", 8))}
    for at in sorted({*range(0, content_end, 61), content_end - 1} - free):
        changed = bytearray(signed)
        changed[at] ^= 1
        assert problem(bytes(changed))[0] in {
            Verdict.HASH_MISMATCH,
            Verdict.MALFORMED,
            Verdict.NOT_APPLICABLE,
            Verdict.UNSIGNED,
        }


def test_what_is_appended_to_a_signed_file_is_found() -> None:
    assert problem(sign() + bytes(8))[0] is Verdict.MALFORMED


def test_a_signature_of_another_file_is_found() -> None:
    other = make_image(sections=(b"another program",))
    verdict, detail = problem(with_signatures(*signatures_in(sign()), image=other))
    assert (verdict, detail) == (Verdict.HASH_MISMATCH, f"the signature is for a file with sha256 {DIGEST.hex()}")


# --- signatures that are not what they say


def test_the_message_digest_is_that_of_the_content() -> None:
    assert problem(crafted(digest=bytes(32)))[0] is Verdict.HASH_MISMATCH


def test_a_signature_by_another_key_than_that_of_its_certificate() -> None:
    other = Authority(algorithm="rsa-2048").holder("Example Code Signer", code_signing_chain("rsa-3072", 1).key)
    verdict, detail = problem(crafted(certificates=other.certificates))
    assert (verdict, detail) == (Verdict.UNTRUSTED, "the signature is not by the key of its certificate")


def test_a_signature_without_the_certificate_of_its_signer() -> None:
    verdict, detail = problem(with_signatures(without_certificate(Crafted().encode())))
    assert (verdict, detail) == (Verdict.UNTRUSTED, "the signature does not bring the certificate of its signer")


@pytest.mark.parametrize(
    ("holder", "scheme"),
    [(code_signing_chain("ecdsa-p256"), Scheme.ECDSA_SHA256), (signer(), Scheme.RSA_PSS_SHA256)],
    ids=["ecdsa", "pss"],
)
def test_a_scheme_that_windows_does_not_accept(holder: Holder, scheme: Scheme) -> None:
    verdict, detail = problem(crafted(holder=holder, scheme=scheme))
    assert verdict is Verdict.UNTRUSTED
    assert detail == f"the signature is by {scheme.label}, expected RSA PKCS #1 v1.5, which is what Windows accepts"


def test_a_key_by_which_checking_takes_long() -> None:
    holder = Authority(algorithm="rsa-2048").holder("Example Code Signer", code_signing_chain("rsa-3072", 1).key)
    huge = replace(holder, certificates=(_with_large_key(), *holder.certificates))
    verdict, detail = problem(crafted(holder=huge))
    assert verdict is Verdict.MALFORMED
    assert "is for a larger RSA key than anybody makes" in detail


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"content_type": DATA}, "the signature is over something else than a file: 1.2.840.113549.1.7.1"),
        ({"content": content_of(hash_="sha512")}, "made with sha256, and the digest of the file in it with sha512"),
        ({"content": b"\x30\x03\x02\x01\x07"}, "the signature is not well-formed"),
        ({"content": b"\x04\x02ab"}, "the signature is over a value of another kind than a sequence"),
        ({"content": encode_content(ImageContent("sha256", bytes(20)))}, "a digest of 20 bytes, expected 32 for sha256"),
        (
            {
                "content": content_of().replace(
                    core.ObjectIdentifier(PE_IMAGE_DATA).dump(), bytes.fromhex("060a2b06010401823702011e")
                )
            },
            "a file of another kind than PE: 1.3.6.1.4.1.311.2.1.30",
        ),
        (
            {"content": paged("sha256", PAGES).replace(bytes.fromhex("a6b586d5"), bytes(4))},
            "an object of an unknown class: 00000000",
        ),
        (
            {"content": paged("sha256", PAGES).replace(bytes.fromhex("8237020302"), bytes.fromhex("8237020303"))},
            "is not well-formed",
        ),
        ({"unsigned": {NESTED_SIGNATURE: [b"\x30\x03\x02\x01\x07"]}}, "the signature is not well-formed"),
    ],
)
def test_what_is_no_signature_of_a_pe_file(wrong: dict[str, Any], reason: str) -> None:
    verdict, detail = problem(crafted(**wrong))
    assert verdict is Verdict.MALFORMED
    assert reason in detail


def test_what_is_no_signature_at_all() -> None:
    verdict, detail = problem(with_signatures(b"\x30\x03\x02\x01\x07"))
    assert (verdict, detail.partition(":")[0]) == (Verdict.MALFORMED, "the signature is not well-formed")
    assert problem(with_table(IMAGE, b"garbage!" * 4))[0] is Verdict.MALFORMED


def test_two_signers_of_one_signature() -> None:
    blob = Crafted().encode()
    info = ContentInfo.load(blob)
    signers = info["content"]["signer_infos"]
    signers.append(SignerInfo.load(signers[0].dump()))
    info["content"]["signer_infos"] = signers
    verdict, detail = problem(with_signatures(info.dump(force=True)))
    assert (verdict, detail) == (Verdict.MALFORMED, "the signature has 2 signers, expected one")


# --- pages


@pytest.mark.parametrize("hash_", ["sha1", "sha256"])
def test_hashes_of_pages_are_checked(hash_: str) -> None:
    table = page_hashes(io.BytesIO(IMAGE), parse_pe(io.BytesIO(IMAGE)), hash_)
    assert len(check(crafted(content=paged(hash_, table))).facts) == 1
    for wrong in (table[:-1], table + b"\0", bytes([table[0] ^ 1]) + table[1:], b""):
        verdict, detail = problem(crafted(content=paged(hash_, wrong)))
        assert (verdict, detail) == (
            Verdict.HASH_MISMATCH,
            "the hashes of the pages in the signature are not those of the file",
        )


def test_hashes_of_pages_of_a_file_without_pages_cannot_be_checked() -> None:
    odd = make_image(section_alignment=512)
    content = ImageContent("sha256", digest(io.BytesIO(odd), parse_pe(io.BytesIO(odd)), "sha256"), PageHashes("sha256", b""))
    signed = with_signatures(Crafted(content=encode_content(content)).encode(), image=odd)
    verdict, detail = problem(signed)
    assert verdict is Verdict.UNTRUSTED
    assert detail.startswith("the hashes of the pages in the signature cannot be checked: a PE file with headers")


# --- several signatures


def nested_in(first: bytes, *others: bytes) -> bytes:
    return with_signatures(replace_unsigned(first, {NESTED_SIGNATURE: others}, subject="the signature"))


def test_each_signature_becomes_facts_in_the_order_of_the_file() -> None:
    hashes = ("sha512", "sha384", "sha256")
    schemes = (Scheme.RSA_PKCS1_SHA512, Scheme.RSA_PKCS1_SHA384, Scheme.RSA_PKCS1_SHA256)
    blobs = [Crafted(content_of(hash_=h), hash=h, scheme=s).encode() for h, s in zip(hashes, schemes, strict=True)]
    assert [facts.scheme for facts in check(with_signatures(*blobs)).facts] == list(schemes)
    first, *nested = (facts.scheme for facts in check(nested_in(*blobs)).facts)
    assert (first, set(nested)) == (schemes[0], set(schemes[1:]))  # nested ones lie in a SET, in the order of their bytes


def test_one_signature_that_is_not_over_the_file_rejects_it() -> None:
    other = Crafted(content_of(make_image(sections=(b"other",)))).encode()
    assert problem(nested_in(Crafted().encode(), other))[0] is Verdict.HASH_MISMATCH
    assert problem(nested_in(other, Crafted().encode()))[0] is Verdict.HASH_MISMATCH


def test_signatures_are_counted() -> None:
    blob = Crafted().encode()
    assert len(check(nested_in(blob, *[Crafted().encode()] * (MAX_SIGNATURES - 1))).facts) == MAX_SIGNATURES
    verdict, detail = problem(nested_in(blob, *[Crafted().encode()] * MAX_SIGNATURES))
    assert (verdict, detail) == (Verdict.MALFORMED, f"the file holds more than {MAX_SIGNATURES} signatures")


def test_signatures_are_nested_one_deep() -> None:
    deep = replace_unsigned(Crafted().encode(), {NESTED_SIGNATURE: [Crafted().encode()]}, subject="the signature")
    verdict, detail = problem(nested_in(Crafted().encode(), deep))
    assert (verdict, detail) == (Verdict.MALFORMED, "a signature that is nested in another holds 1 more")


def test_signatures_are_of_a_bounded_size_together() -> None:
    padded = Crafted(unsigned={"1.2.3": [encode_der(4, bytes(1 << 20))]}).encode()
    assert len(check(with_signatures(*[padded] * 3)).facts) == 3
    verdict, detail = problem(with_signatures(*[padded] * 4))
    assert (verdict, detail) == (
        Verdict.MALFORMED, f"the signatures have {4 * len(padded)} bytes together, expected at most {MAX_SIZE}",
    )  # fmt: skip


def test_timestamps_are_handed_on_as_they_are() -> None:
    tokens = (b"\x30\x03\x02\x01\x07", b"\x30\x03\x02\x01\x08")
    (facts,) = check(crafted(unsigned={TIMESTAMP: tokens})).facts
    assert facts.timestamps == tokens


def test_older_countersignatures_prove_no_time() -> None:
    (facts,) = check(crafted(unsigned={"1.2.840.113549.1.9.6": [b"\x30\x03\x02\x01\x07"]})).facts
    assert facts.timestamps == ()


# --- signatures of another age


def test_a_hash_that_can_be_forged_counts_for_nothing_and_is_not_malformed() -> None:
    verdict, detail = problem(with_signatures(with_sha1(Crafted().encode())))
    assert verdict is Verdict.UNTRUSTED
    assert detail == "it is signed with sha1 only, which can be forged, expected sha256, sha384 or sha512"


def test_a_newer_signature_beside_it_counts() -> None:
    newer = Crafted(content_of(hash_="sha384"), hash="sha384", scheme=Scheme.RSA_PKCS1_SHA384).encode()
    first = with_sha1(replace_unsigned(Crafted().encode(), {NESTED_SIGNATURE: [newer]}, subject="the signature"))
    assert [facts.scheme for facts in check(with_signatures(first)).facts] == [Scheme.RSA_PKCS1_SHA384]
    changed = with_signatures(first, image=make_image(sections=(b"other",)))
    assert problem(changed)[0] is Verdict.HASH_MISMATCH


# --- mutations


def test_no_mutation_of_the_signature_is_accepted_as_anything_else() -> None:
    rng = random.Random(first_seed())  # noqa: S311 - a sample for a test
    nested = sign(sign(), {"authenticode-nested": True, "authenticode-page-hashes": True})
    pe = parse_pe(io.BytesIO(nested))
    truth = {facts.signature for facts in check(nested).facts}
    assert len(truth) == 2
    for _ in range(MUTATIONS):
        mutated = bytearray(nested)
        for _ in range(rng.choice((1, 1, 2, 4))):
            at = rng.randrange(pe.content_end + 8, len(nested))
            mutated[at] = rng.choice((mutated[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
        found = check(bytes(mutated))
        assert found.problem in {None, Verdict.MALFORMED, Verdict.UNTRUSTED, Verdict.HASH_MISMATCH}, found
        assert {facts.signature for facts in found.facts} <= truth
        assert all(facts.public_key == signer().key.public_key() for facts in found.facts)


def _field(image: bytes, name: str, size: int) -> tuple[int, int]:
    at, _ = places(image)[name]
    return at, at + size


def _with_large_key() -> Certificate:
    numbers = rsa.RSAPublicNumbers(65537, (1 << 16392) + 1)

    class PublicHalf:
        def public_key(self) -> rsa.RSAPublicKey:
            return numbers.public_key()

    return Authority(algorithm="rsa-2048").issue("Example Code Signer", PublicHalf())
