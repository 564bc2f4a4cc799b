"""Bundles: every version that is read, the one that is written, and everything that is neither."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from hatch_sign.formats.dsse import Envelope
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, encode_bundle, parse_bundle
from hatch_sign.values.errors import MalformedError

from .vectors import MEDIA_TYPE, OLD_MEDIA_TYPE, P256_SIGNATURE, SUBJECT, b64, dsse_bundle, encode, message_bundle

MESSAGE = MessageSignature("sha256", SUBJECT.digests["sha256"], P256_SIGNATURE)
LOG_ENTRY: dict[str, Any] = {
    "logIndex": "1",
    "logId": {"keyId": "QQ=="},
    "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
    "integratedTime": "2",
    "inclusionPromise": {"signedEntryTimestamp": "QQ=="},
    "inclusionProof": {
        "logIndex": "3",
        "rootHash": "QQ==",
        "treeSize": "4",
        "hashes": ["QQ=="],
        "checkpoint": {"envelope": "text\n"},
    },
    "canonicalizedBody": "QQ==",
}


def with_material(**material: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return message_bundle(verificationMaterial=material)


def with_log_entry(path: str, value: object) -> dict[str, Any]:
    """Return a bundle whose log entry has `value` at the dotted `path`; None takes the member out."""
    entry = copy.deepcopy(LOG_ENTRY)
    *above, last = path.split(".")
    table = entry
    for name in above:
        table = table[name]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return with_material(publicKey={}, tlogEntries=[entry])


def test_reads_a_message_signature() -> None:
    assert parse_bundle(encode(message_bundle())) == Bundle(MESSAGE, hint="any text")


def test_reads_an_envelope() -> None:
    content = parse_bundle(encode(dsse_bundle(b"{}"))).content
    assert isinstance(content, Envelope)
    assert (content.payload, content.payload_type) == (b"{}", "application/vnd.in-toto+json")


@pytest.mark.parametrize("hint", [{}, {"hint": ""}, {"hint": None}])
def test_a_missing_hint_is_an_empty_one(hint: dict[str, Any]) -> None:
    assert parse_bundle(encode(with_material(publicKey=hint))).hint == ""


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_reads_chains_in_old_versions_only(version: str) -> None:
    media_type = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    chain = {"certificates": [{"rawBytes": "QQ=="}, {"rawBytes": "Qg=="}]}
    bundle = with_material(x509CertificateChain=chain) | {"mediaType": media_type}
    assert parse_bundle(encode(bundle)).certificates == (b"A", b"B")
    for newer in (MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"):
        with pytest.raises(MalformedError, match="has x509CertificateChain, which bundles of this version do not hold"):
            parse_bundle(encode(bundle | {"mediaType": newer}))


def test_reads_the_leaf_in_new_versions_only() -> None:
    bundle = with_material(certificate={"rawBytes": "QQ=="})
    parsed = parse_bundle(encode(bundle))
    assert (parsed.certificates, parsed.hint) == ((b"A",), None)
    with pytest.raises(MalformedError, match="has certificate, which bundles of this version do not hold"):
        parse_bundle(encode(bundle | {"mediaType": OLD_MEDIA_TYPE}))


def test_reads_evidence_and_writes_it_again() -> None:
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": "QQ=="}]}
    bundle = with_material(publicKey={"hint": "h"}, tlogEntries=[LOG_ENTRY], timestampVerificationData=stamps)
    parsed = parse_bundle(encode(bundle))
    assert parsed.timestamps == (b"A",)
    assert json.loads(parsed.log_entries[0]) == LOG_ENTRY
    assert json.loads(encode_bundle(parsed)) == bundle


def test_missing_numbers_are_zeros_and_zeros_are_written() -> None:
    assert json.loads(parse_bundle(encode(with_material(publicKey={}, tlogEntries=[{}]))).log_entries[0]) == {
        "logIndex": "0",
        "integratedTime": "0",
    }
    entry = {"logId": {"keyId": "QQ=="}, "inclusionProof": {"rootHash": "QQ=="}}
    parsed = parse_bundle(encode(with_material(publicKey={}, tlogEntries=[entry])))
    written = json.loads(encode_bundle(parsed))["verificationMaterial"]["tlogEntries"][0]
    assert (written["logIndex"], written["integratedTime"]) == ("0", "0")
    assert written["inclusionProof"] == {"logIndex": "0", "rootHash": "QQ==", "treeSize": "0", "hashes": []}


def test_writes_the_newest_version_in_one_spelling() -> None:
    written = encode_bundle(Bundle(MessageSignature("sha384", b"D", b"S"), hint="h"))
    assert written == (
        b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"h"}},'
        b'"messageSignature":{"messageDigest":{"algorithm":"SHA2_384","digest":"RA=="},"signature":"Uw=="}}\n'
    )


@pytest.mark.parametrize(
    "bundle",
    [
        Bundle(MESSAGE, hint="h", timestamps=(b"T", b"U")),
        Bundle(Envelope(b"{}", "type", b"S"), certificates=(b"C",)),
        Bundle(Envelope(b"{}", "type", b"S"), hint=""),
    ],
)
def test_reads_what_it_wrote(bundle: Bundle) -> None:
    assert parse_bundle(encode_bundle(bundle)) == bundle


HALF = {"algorithm": "SHA2_256", "digest": b64(bytes(16))}
WHOLE = {"algorithm": "SHA2_256", "digest": b64(bytes(32))}


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [
        ([], "the bundle is not an object"),
        ({}, "the bundle lacks mediaType"),
        (message_bundle(mediaType="application/vnd.dev.sigstore.bundle.v0.4+json"), "the bundle is of the unknown type"),
        (message_bundle(more=1), "the bundle has the unknown member more"),
        (message_bundle(verificationMaterial=None), "verificationMaterial is not an object"),
        (message_bundle(messageSignature=None), "the bundle has none, expected one of messageSignature, dsseEnvelope"),
        (message_bundle() | dsse_bundle(b"{}"), "the bundle has messageSignature and dsseEnvelope, expected one of"),
        (message_bundle(messageSignature={}), "messageSignature.messageDigest is not an object"),
        (message_bundle(messageSignature={"messageDigest": WHOLE}), "messageSignature lacks signature"),
        (message_bundle(messageSignature={"messageDigest": HALF}), ".*messageDigest has 16 bytes, expected 32"),
        (message_bundle(messageSignature={"messageDigest": WHOLE, "signature": ""}), ".*signature is not canonical"),
        (
            message_bundle(messageSignature={"messageDigest": WHOLE | {"algorithm": "SHA1"}}),
            "messageSignature.messageDigest is by SHA1, expected one of SHA2_256, SHA2_384, SHA2_512",
        ),
        (message_bundle(messageSignature={"messageDigest": WHOLE | {"algorithm": 1}}), ".*algorithm is not a string"),
        (with_material(), "verificationMaterial has none, expected one of publicKey, certificate, x509CertificateChain"),
        (with_material(publicKey={}, certificate={}), "verificationMaterial has publicKey and certificate, expected one of"),
        (with_material(publicKey={"hint": 1}), "verificationMaterial.publicKey.hint is not a string"),
        (with_material(publicKey={"hint": "x" * 1025}), "verificationMaterial.publicKey.hint has 1025 characters"),
        (with_material(publicKey={"rawBytes": "QQ=="}), "verificationMaterial.publicKey has the unknown member rawBytes"),
        (with_material(certificate={}), "verificationMaterial.certificate lacks rawBytes"),
        (with_material(publicKey={}, tlogEntries={}), "verificationMaterial.tlogEntries is not an array"),
        (with_material(publicKey={}, tlogEntries=[LOG_ENTRY] * 33), "verificationMaterial.tlogEntries has 33 items"),
        (with_material(publicKey={}, timestampVerificationData=[]), ".*timestampVerificationData is not an object"),
        (
            with_material(publicKey={}, timestampVerificationData={"rfc3161Timestamps": [{}] * 33}),
            ".*rfc3161Timestamps has 33 items, expected at most 32",
        ),
        (with_material(publicKey={}, timestampVerificationData={"rfc3161Timestamps": [{}]}), ".* lacks signedTimestamp"),
        (
            with_material(x509CertificateChain={"certificates": []}) | {"mediaType": OLD_MEDIA_TYPE},
            "verificationMaterial.x509CertificateChain is empty",
        ),
        (
            with_material(x509CertificateChain={"certificates": [{}] * 17}) | {"mediaType": OLD_MEDIA_TYPE},
            ".*certificates has 17 items, expected at most 16",
        ),
        (with_log_entry("logIndex", 1), r"verificationMaterial.tlogEntries\[0\].logIndex is not a string"),
        (with_log_entry("logIndex", "-1"), ".*logIndex is not a whole number from 0"),
        (with_log_entry("logIndex", "01"), ".*logIndex is not a whole number from 0"),
        (with_log_entry("integratedTime", "9" * 20), ".*integratedTime is not a whole number from 0 of at most 19 digits"),
        (with_log_entry("more", "1"), ".*has the unknown member more"),
        (with_log_entry("logId.keyId", None), ".*logId lacks keyId"),
        (with_log_entry("inclusionProof.hashes", ["QQ=="] * 65), ".*hashes has 65 items, expected at most 64"),
        (with_log_entry("inclusionProof.hashes", [1]), ".*hash is not a string"),
        (with_log_entry("inclusionProof.checkpoint.envelope", 1), ".*envelope is not a string"),
        (with_log_entry("canonicalizedBody", "Q"), ".*canonicalizedBody is not canonical base64"),
    ],
)  # fmt: skip
def test_refuses(bundle: object, reason: str) -> None:
    with pytest.raises(MalformedError, match=f"^{reason}"):
        parse_bundle(encode(bundle))
