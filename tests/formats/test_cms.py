"""What is written as a CMS signature, read here by asn1crypto's own structures."""

from __future__ import annotations

import base64
import hashlib
import random
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import cms, tsp
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.contract import ChoosesSchemes, Evidence, TakesTimestamps
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import MalformedError, UnsupportedError, WitnessError
from hatch_sign.values.outcomes import Verdict
from tests.authority import Authority, code_signing_chain

from .cms_samples import CHANGED, CONTENT, PRODUCER, SCHEMES, SUBJECT, VERIFIER, Stamping, find, made, seal_of
from .stamps import GOOD

if TYPE_CHECKING:
    from cryptography import x509

    from hatch_sign.contract import WitnessRequest

LOCAL = code_signing_chain("ecdsa-p256")


def signer_info(data: bytes) -> cms.SignerInfo:
    (signer,) = cms.ContentInfo.load(data, strict=True)["content"]["signer_infos"]
    return signer


def values(attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - asn1crypto has no types
    return {attribute["type"].native: attribute["values"][0] for attribute in attributes}


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_holds_one_signature_over_data_that_is_elsewhere() -> None:
    info = cms.ContentInfo.load(made(), strict=True)
    signed = info["content"]
    assert info["content_type"].native == "signed_data"
    assert (signed["version"].native, len(signed["signer_infos"])) == ("v1", 1)
    assert signed["encap_content_info"].native == {"content_type": "data", "content": None}
    assert [each["algorithm"].native for each in signed["digest_algorithms"]] == ["sha256"]
    assert signed["crls"].native is None


def test_says_of_itself_what_cades_bes_demands() -> None:
    now = datetime(2049, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    signer = signer_info(made(now=now))
    attributes = values(signer["signed_attrs"])
    assert set(attributes) == {"content_type", "message_digest", "signing_time", "signing_certificate_v2"}
    assert attributes["content_type"].native == "data"
    assert attributes["message_digest"].native == hashlib.sha256(CONTENT).digest()
    assert attributes["signing_time"].native == now.replace(microsecond=0)
    assert attributes["signing_time"].name == "utc_time"
    (named,) = attributes["signing_certificate_v2"]["certs"]
    assert named["cert_hash"].native == hashlib.sha256(der(LOCAL.certificate)).digest()
    assert named["issuer_serial"]["serial_number"].native == LOCAL.certificate.serial_number
    assert named["issuer_serial"]["issuer"][0].chosen.chosen.dump() == LOCAL.certificate.issuer.public_bytes()
    # SHA-256 is the default, and DER leaves defaults out.
    assert named.contents.startswith(b"\x04\x20")
    assert isinstance(named, tsp.ESSCertIDv2)


def test_a_time_after_2049_is_written_with_its_century() -> None:
    now = datetime(2050, 1, 1, tzinfo=UTC)
    time = values(signer_info(made(now=now))["signed_attrs"])["signing_time"]
    assert (time.name, time.native) == ("generalized_time", now)


def test_the_attributes_are_in_the_order_of_der() -> None:
    encoded = [attribute.dump() for attribute in signer_info(made())["signed_attrs"]]
    assert encoded == sorted(encoded)


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("algorithm", SCHEMES)
def test_reads_what_it_wrote(algorithm: str, length: int) -> None:
    holder = code_signing_chain(algorithm, length)
    for scheme in SCHEMES[algorithm]:
        data = made(holder, scheme)
        assert signer_info(data)["signature_algorithm"].signature_algo in {"ecdsa", "rsassa_pkcs1v15", "rsassa_pss"}
        (facts,) = find(data).facts
        assert (facts.public_key, facts.scheme) == (holder.key.public_key(), scheme)
        assert tuple(facts.certificates) == tuple(PRODUCER.carries(seal_of(holder, scheme))) == holder.certificates
        assert (facts.timestamps, facts.claims_name) == ((), False)
        assert find(data, subject=CHANGED).problem is Verdict.HASH_MISMATCH


def test_the_order_and_the_neighbours_of_the_configured_chain_do_not_matter() -> None:
    stranger = Authority("Stranger")
    leaf, *others = [
        *LOCAL.certificates,
        LOCAL.root,
        stranger.certificate,
        Authority("Other", above=stranger).certificate,
    ]
    for seed in range(6):
        random.Random(seed).shuffle(others)  # noqa: S311 - any order will do
        seal = seal_of(certificates=(leaf, *others))
        (facts,) = find(PRODUCER.sign(SUBJECT, seal)).facts
        assert tuple(facts.certificates) == tuple(PRODUCER.carries(seal)) == LOCAL.certificates


def test_both_certificates_of_an_issuer_under_two_roots_are_carried() -> None:
    old, new = Authority("Old Root"), Authority("New Root")
    issuer = Authority("Issuer", above=old)
    crossed = Authority("Issuer", above=new, key=issuer.key)
    holder = issuer.holder("Example")
    seal = seal_of(holder, certificates=(holder.certificate, crossed.certificate, issuer.certificate))
    (facts,) = find(PRODUCER.sign(SUBJECT, seal)).facts
    assert facts.certificates[0] == holder.certificate
    assert set(facts.certificates[1:]) == {issuer.certificate, crossed.certificate}
    assert tuple(facts.certificates) == tuple(PRODUCER.carries(seal))


def test_a_token_that_hashes_itself_signs_the_attributes() -> None:
    assert find(made(hashes_messages=True)).problem is None


def test_is_built_from_the_digest_of_its_own_hash_alone() -> None:
    for scheme in Scheme:
        if scheme.hash:
            assert PRODUCER.digests(scheme) == {scheme.hash}


# --- which schemes


def test_pss_is_chosen_by_a_setting_and_nothing_else() -> None:
    assert isinstance(PRODUCER, ChoosesSchemes)
    rsa = private_key(KeyAlgorithm.RSA_3072).public_key()
    assert PRODUCER.choose_schemes(rsa, {})[0] is Scheme.RSA_PKCS1_SHA256
    assert PRODUCER.choose_schemes(rsa, {"cms-pss": False})[0] is Scheme.RSA_PKCS1_SHA256
    assert {scheme.family for scheme in PRODUCER.choose_schemes(rsa, {"cms-pss": True})} == {"rsa-pss"}
    curve = private_key(KeyAlgorithm.ECDSA_P384).public_key()
    assert PRODUCER.choose_schemes(curve, {"cms-pss": True}) == PRODUCER.schemes(curve)


def test_says_why_it_does_not_take_ed25519() -> None:
    with pytest.raises(UnsupportedError, match=r"^format cms is not made with ed25519 keys, whose signatures few readers"):
        PRODUCER.choose_schemes(private_key(KeyAlgorithm.ED25519).public_key(), {})


def test_refuses_a_bare_key_before_it_signs() -> None:
    class Unused:
        certificates = ()

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - nothing of it may be used
            raise AssertionError(name)

    with pytest.raises(
        UnsupportedError, match=r"^a CMS signature names its signer by a certificate.*; set `certificates` to"
    ):
        PRODUCER.sign(SUBJECT, Unused())  # type: ignore[arg-type] # a seal of which nothing else may be asked


# --- PEM


def test_pem_holds_the_same_as_der() -> None:
    text = made(options={"cms-pem": True})
    first, *lines, last, end = text.decode().split("\n")
    assert (first, last, end) == ("-----BEGIN CMS-----", "-----END CMS-----", "")
    assert {len(line) for line in lines[:-1]} == {64}
    assert VERIFIER.parse(text) == VERIFIER.parse(base64.b64decode("".join(lines)))
    assert find(text).problem is None
    assert find(text, subject=CHANGED).problem is Verdict.HASH_MISMATCH


@pytest.mark.parametrize(
    "changed",
    [
        lambda pem: pem.replace(b"CMS", b"PKCS7"),
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: pem.removesuffix(b"\n"),
    ],
    ids=["the older label", "other ends of lines", "no end of the last line"],
)
def test_reads_pem_as_others_write_it(changed: Any) -> None:  # noqa: ANN401 - a function of bytes
    assert find(changed(made(options={"cms-pem": True}))).problem is None


@pytest.mark.parametrize(
    "changed",
    [
        lambda pem: pem * 2,
        lambda pem: pem + b"\n",
        lambda pem: pem + b"more",
        lambda pem: b"\n" + pem,
        lambda pem: b"comment\n" + pem,
        lambda pem: pem.replace(b"CMS", b"CERTIFICATE"),
        lambda pem: pem.replace(b"END CMS", b"END PKCS7"),
        lambda pem: pem.replace(b"CMS-----\n", b"CMS-----\nHeader: value\n\n", 1),
        lambda pem: pem.replace(b"\n", b"\n\n", 2),
        lambda pem: pem.replace(b"\n", b" \n", 2),
        lambda pem: pem.replace(b"MII", b"MI=", 1),
        lambda pem: pem.replace(b"MII", b"MI", 1),
        lambda pem: pem.replace(b"\n", b""),
        lambda pem: pem[: len(pem) // 2],
        lambda _: b"-----BEGIN CMS-----\n-----END CMS-----\n",
        lambda _: b"-----BEGIN CMS-----\n" + b"A" * 20_000_000,
        lambda _: b"-----BEGIN CMS-----\n" + b"AAAA\n" * 1_400_000,
    ],
)
def test_refuses_other_pem(changed: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(MalformedError, match=r"^(the PEM of )?the CMS signature (is|has) "):
        VERIFIER.parse(changed(made(options={"cms-pem": True})))


def test_pem_without_end_is_refused_in_little_memory() -> None:
    data = b"-----BEGIN CMS-----\n" + b"A\n" * 500_000
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="is not one PEM block"):
            VERIFIER.parse(data)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(data)
    finally:
        tracemalloc.stop()


# --- timestamps


def test_a_timestamp_becomes_an_unsigned_attribute_without_the_reply_around_it() -> None:
    data = made(witnesses=[Stamping()])
    (facts,) = find(data).facts
    signer = signer_info(data)
    assert facts.signature == signer["signature"].native == PRODUCER.signature(data)
    assert [each.dump() for each in values(signer["unsigned_attrs"]).values()] == [GOOD.token(facts.signature)]
    assert list(facts.timestamps) == [GOOD.token(facts.signature)]


def test_the_witness_is_told_what_was_signed() -> None:
    asked: list[WitnessRequest] = []

    class Listening(Stamping):
        def attest(self, request: WitnessRequest) -> Evidence:
            asked.append(request)
            return super().attest(request)

    data = made(witnesses=[Listening()])
    (request,) = asked
    signed = signer_info(data)["signed_attrs"].untag().dump()
    assert (request.signature, request.digest) == (PRODUCER.signature(data), hashlib.sha256(signed).digest())


def test_evidence_of_other_kinds_is_left_out() -> None:
    class Log(Stamping):
        def attest(self, request: WitnessRequest) -> Evidence:
            del request
            return Evidence("log-entry", b"{}")

    assert signer_info(made(witnesses=[Log()]))["unsigned_attrs"].native is None


def test_evidence_that_is_no_timestamp_never_reaches_a_file() -> None:
    class Broken(Stamping):
        def attest(self, request: WitnessRequest) -> Evidence:
            del request
            return Evidence("timestamp", b"\x30\x00")

    with pytest.raises(WitnessError, match="timestamp"):
        made(witnesses=[Broken()])


@pytest.mark.parametrize("options", [{}, {"cms-pem": True}])
def test_timestamps_are_replaced_and_all_else_stays(options: dict[str, bool]) -> None:
    assert isinstance(PRODUCER, TakesTimestamps)
    bare = made(options=options)
    signature = PRODUCER.signature(bare)
    old, new = GOOD.reply(signature), GOOD.token(signature)
    once = PRODUCER.with_timestamps(bare, [old])
    twice = PRODUCER.with_timestamps(bare, [old, new])
    assert once.startswith(b"-----BEGIN CMS-----\n") is bool(options)
    assert list(find(once).facts[0].timestamps) == [new]
    assert list(find(twice).facts[0].timestamps) == [new, new]
    assert PRODUCER.with_timestamps(twice, [new]) == once
    assert PRODUCER.with_timestamps(twice, []) == bare


def test_no_timestamp_is_put_into_what_is_no_signature() -> None:
    for work in (PRODUCER.signature, lambda data: PRODUCER.with_timestamps(data, [])):
        with pytest.raises(MalformedError, match=r"^the CMS signature is not"):
            work(b"\x30\x00")
    with pytest.raises(MalformedError, match="timestamp"):
        PRODUCER.with_timestamps(made(), [b"\x30\x00"])
