"""What the verifier of bundles finds, over vectors that other code signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.formats.sigstore.verifier import BundleVerifier
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import PublicKey, key_hint

from .vectors import (
    ARTIFACT,
    ED25519,
    OLD_MEDIA_TYPE,
    P256,
    P256_SIGNATURE,
    SUBJECT,
    b64,
    dsse_bundle,
    encode,
    message_bundle,
    statement,
)

if TYPE_CHECKING:
    from hatch_sign.contract import Finding
    from hatch_sign.values.artifacts import Subject

VERIFIER = BundleVerifier()
OTHER = ec.derive_private_key(7, ec.SECP256R1()).public_key()
CHANGED = replace(SUBJECT, digests={name: bytes(len(digest)) for name, digest in SUBJECT.digests.items()})


def find(bundle: object, *keys: Any, subject: Subject = SUBJECT) -> Finding:  # noqa: ANN401 - public keys of any kind
    return VERIFIER.check(VERIFIER.parse(encode(bundle)), [subject], keys)[subject.name]


def certificate(key: Any, signer: Any = P256) -> bytes:  # noqa: ANN401 - keys of any kind
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key, 1, start, start + timedelta(days=1))
    return builder.sign(signer, SHA256()).public_bytes(Encoding.DER)


def with_certificate(der: bytes) -> dict[str, Any]:
    return message_bundle(verificationMaterial={"certificate": {"rawBytes": b64(der)}})


def test_the_signature_of_rfc_6979() -> None:
    (facts,) = find(message_bundle(), P256.public_key()).facts
    assert (facts.public_key, facts.scheme, facts.signature) == (P256.public_key(), Scheme.ECDSA_SHA256, P256_SIGNATURE)
    assert facts.claims_name is False
    assert find(message_bundle(), P256.public_key(), subject=CHANGED).problem is Verdict.HASH_MISMATCH


@pytest.mark.parametrize(("key", "scheme"), [(P256, Scheme.ECDSA_SHA256), (ED25519, Scheme.ED25519)])
def test_a_signed_statement(key: Any, scheme: Scheme) -> None:  # noqa: ANN401 - of two kinds
    bundle = dsse_bundle(key=key)
    (facts,) = find(bundle, OTHER, key.public_key()).facts
    assert (facts.public_key, facts.scheme, facts.claims_name) == (key.public_key(), scheme, True)
    assert find(bundle, key.public_key(), subject=CHANGED).problem is Verdict.HASH_MISMATCH
    bundle["dsseEnvelope"]["payload"] = b64(encode(statement(predicate={"changed": True})))
    assert find(bundle, key.public_key()).problem is Verdict.UNTRUSTED


@pytest.mark.parametrize("scheme", [Scheme.ECDSA_SHA256, Scheme.ECDSA_SHA384])
def test_a_token_that_hashes_itself_signs_a_statement_in_place_of_the_digest(scheme: Scheme) -> None:
    algorithm = KeyAlgorithm.ECDSA_P256 if scheme is Scheme.ECDSA_SHA256 else KeyAlgorithm.ECDSA_P384
    seal = KeySeal(private_key(algorithm), scheme, hashes_messages=True)
    producer = BundleProducer()
    assert "sha256" in producer.digests(scheme)
    made = json.loads(producer.sign(SUBJECT, seal))
    assert "messageSignature" not in made
    assert find(made, seal.public_key).problem is None
    assert find(made, seal.public_key, subject=CHANGED).problem is Verdict.HASH_MISMATCH
    assert "messageSignature" in json.loads(producer.sign(SUBJECT, KeySeal(private_key(algorithm), scheme)))


def test_the_type_of_the_payload_is_signed_too() -> None:
    bundle = dsse_bundle(payload_type="text/plain")
    bundle["dsseEnvelope"]["payloadType"] = "application/vnd.in-toto+json"
    assert find(bundle, P256.public_key()).problem is Verdict.UNTRUSTED


def test_another_type_of_payload_is_malformed() -> None:
    with pytest.raises(MalformedError, match=r"^the envelope's payload is of type text/plain, expected application/"):
        VERIFIER.parse(encode(dsse_bundle(payload_type="text/plain")))


def test_a_payload_that_is_no_statement_is_malformed() -> None:
    with pytest.raises(MalformedError, match=r"^the statement is not JSON"):
        VERIFIER.parse(encode(dsse_bundle(b"{")))


@pytest.mark.parametrize("claim", sorted(BundleVerifier.claims))
def test_claims_that_stand_behind_the_artifact(claim: str) -> None:
    assert find(dsse_bundle(statement(predicateType=claim)), P256.public_key()).problem is None


def test_a_claim_that_may_say_the_opposite_is_no_signature_of_the_artifact() -> None:
    """The same key may well sign that a test of the artifact failed."""
    finding = find(
        dsse_bundle(statement(predicateType="https://in-toto.io/attestation/test-result/v0.1")), P256.public_key()
    )
    assert finding.problem is Verdict.UNTRUSTED
    assert finding.detail.endswith("than files of this name hold: https://in-toto.io/attestation/test-result/v0.1")


def test_a_statement_covers_the_names_in_it() -> None:
    parsed = VERIFIER.parse(encode(dsse_bundle()))
    assert VERIFIER.names(parsed) == {SUBJECT.name}
    finding = find(dsse_bundle(), P256.public_key(), subject=replace(SUBJECT, name="another"))
    assert (finding.problem, finding.detail) == (Verdict.UNSIGNED, "the statement does not name another")


def test_every_digest_of_a_statement_must_agree() -> None:
    digests = {name: digest.hex() for name, digest in SUBJECT.digests.items()}
    claim = statement(subject=[{"name": SUBJECT.name, "digest": digests}])
    assert VERIFIER.digests(VERIFIER.parse(encode(dsse_bundle(claim)))) == {"sha256", "sha384", "sha512"}
    assert find(dsse_bundle(claim), P256.public_key()).problem is None
    differing = replace(SUBJECT, digests={**SUBJECT.digests, "sha512": bytes(64)})
    assert find(dsse_bundle(claim), P256.public_key(), subject=differing).problem is Verdict.HASH_MISMATCH
    unread = replace(SUBJECT, digests={"sha256": SUBJECT.digests["sha256"]})
    assert find(dsse_bundle(claim), P256.public_key(), subject=unread).problem is Verdict.HASH_MISMATCH


def test_the_hint_decides_nothing() -> None:
    for hint in ("", "any text", key_hint(OTHER), key_hint(P256.public_key())):
        bundle = message_bundle(verificationMaterial={"publicKey": {"hint": hint}})
        assert find(bundle, OTHER, P256.public_key()).facts[0].public_key == P256.public_key()
        assert find(bundle, OTHER).problem is Verdict.UNTRUSTED


def test_says_which_key_the_bundle_hints_at() -> None:
    bundle = message_bundle(verificationMaterial={"publicKey": {"hint": "\x1b[31m"}})
    assert find(bundle, OTHER).detail == r"no trusted key made the signature; the bundle hints at \x1b[31m"
    assert find(bundle).detail == r"the bundle was made with the key \x1b[31m, and no key is trusted"


def test_the_hash_of_the_digest_is_the_one_that_was_signed() -> None:
    """A digest of another length, and the scheme that goes with it, are not what the key signed."""
    digest = {"algorithm": "SHA2_512", "digest": b64(SUBJECT.digests["sha512"])}
    bundle = message_bundle(messageSignature={"messageDigest": digest, "signature": b64(P256_SIGNATURE)})
    assert VERIFIER.digests(VERIFIER.parse(encode(bundle))) == {"sha512"}
    assert find(bundle, P256.public_key()).problem is Verdict.UNTRUSTED


@pytest.mark.parametrize(("hash_", "scheme"), [(SHA256(), Scheme.ECDSA_SHA256), (SHA512(), Scheme.ECDSA_SHA512)])
def test_an_envelope_does_not_say_its_hash(hash_: Any, scheme: Scheme) -> None:  # noqa: ANN401 - two hashes
    key = ec.derive_private_key(9, ec.SECP521R1())
    bundle = dsse_bundle()
    payload = encode(statement())
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = b64(key.sign(message, ec.ECDSA(hash_)))
    assert find(bundle, key.public_key()).facts[0].scheme is scheme


def test_no_message_signature_by_ed25519_is_read() -> None:
    """A pure one is over bytes that were never kept, and one over the digest is of no scheme in the table."""
    for signed in (ARTIFACT, SUBJECT.digests["sha256"]):
        bundle = message_bundle()
        bundle["messageSignature"]["signature"] = b64(ED25519.sign(signed))
        assert find(bundle, ED25519.public_key()).problem is Verdict.UNTRUSTED


def test_the_key_of_the_certificate_needs_no_other() -> None:
    (facts,) = find(with_certificate(certificate(P256.public_key()))).facts
    assert facts.public_key == P256.public_key()
    assert [leaf.public_key() for leaf in facts.certificates] == [P256.public_key()]


def test_a_trusted_key_does_not_stand_in_for_that_of_the_certificate() -> None:
    finding = find(with_certificate(certificate(OTHER)), P256.public_key())
    assert finding.problem is Verdict.UNTRUSTED
    assert finding.detail == "the signature is not by the ecdsa-p256 key of the certificate in the bundle"


def test_the_first_certificate_of_an_old_chain_is_the_leaf() -> None:
    leaf, issuer = certificate(P256.public_key()), certificate(OTHER)

    def chain(*certificates: bytes) -> dict[str, Any]:
        items = [{"rawBytes": b64(der)} for der in certificates]
        material = {"x509CertificateChain": {"certificates": items}}
        return message_bundle(mediaType=OLD_MEDIA_TYPE, verificationMaterial=material)

    assert len(find(chain(leaf, issuer)).facts[0].certificates) == 2
    assert find(chain(issuer, leaf)).problem is Verdict.UNTRUSTED


@pytest.mark.parametrize(
    "key",
    [
        dsa.generate_private_key(2048).public_key(),
        ec.derive_private_key(5, ec.SECP256K1()).public_key(),
    ],
    ids=["dsa", "another curve"],
)
def test_a_certificate_for_a_key_outside_of_the_table(key: Any) -> None:  # noqa: ANN401 - of any kind
    finding = find(with_certificate(certificate(key)), P256.public_key())
    assert finding.problem is Verdict.UNTRUSTED
    assert finding.detail == "the certificate is for a key of a kind that is not supported"


def test_a_certificate_that_is_none_is_malformed() -> None:
    der = certificate(P256.public_key())
    for damaged in (der[:-1], der + b"\0", b"\x30\x00"):
        with pytest.raises(MalformedError, match=r"^a certificate in the bundle is not one$"):
            VERIFIER.parse(encode(with_certificate(damaged)))


@pytest.mark.parametrize("numbers", [(65537, (1 << 8192) + 1), ((1 << 32) + 1, (1 << 3071) + 1)])
def test_a_certificate_whose_key_takes_long_is_malformed(numbers: tuple[int, int]) -> None:
    der = certificate(rsa.RSAPublicNumbers(*numbers).public_key())
    with pytest.raises(MalformedError, match=r"^a certificate in the bundle is for a larger RSA key than anybody makes"):
        VERIFIER.parse(encode(with_certificate(der)))


def test_a_certificate_whose_key_is_no_point_is_malformed() -> None:
    der = certificate(P256.public_key())
    point = der.index(b"\x00\x04") + 2
    with pytest.raises(MalformedError, match=r"^the certificate in the bundle has a key that is none$"):
        VERIFIER.parse(encode(with_certificate(der[:point] + b"\xff" * 32 + der[point + 32 :])))


def test_all_subjects_are_answered_for_at_once() -> None:
    subjects = [SUBJECT, replace(CHANGED, name="b")]
    findings = VERIFIER.check(VERIFIER.parse(encode(message_bundle())), subjects, [P256.public_key()])
    assert {name: finding.problem for name, finding in findings.items()} == {
        SUBJECT.name: None,
        "b": Verdict.HASH_MISMATCH,
    }


def test_no_key_at_all_trusts_nothing() -> None:
    keys: list[PublicKey] = []
    assert find(message_bundle(), *keys).problem is Verdict.UNTRUSTED
