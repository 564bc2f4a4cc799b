"""Structures of CMS that are not as they should be: each is refused, or passed over where nothing rests on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hatch_sign.values.errors import MalformedError

from .cms_parts import (
    CONTENT_TYPE,
    ECDSA_SHA512,
    LOCAL,
    MESSAGE_DIGEST,
    RSASSA_PSS,
    SHA1,
    SIGNING_CERTIFICATE_V2,
    TST_INFO,
    Parts,
    certificate_node,
    changed,
)
from .cms_samples import VERIFIER, find
from .der_trees import INTEGER, NULL, OCTETS, OID, SET, Node, primitive, sequence


def other_hash(number: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        for node in (parts.hash, parts.hashes.children[0]):
            node.children[0].contents = number

    return change


def double(node: Callable[[Parts], Node]) -> Callable[[Parts], None]:
    """Return what puts the last of a node's values into it once more."""
    return lambda parts: node(parts).children.append(node(parts).children[-1])


def retype(content_type: bytes) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        parts.content.children[0].contents = content_type
        parts.attribute(CONTENT_TYPE).children[1].children[0].contents = content_type

    return change


HOSTILE: dict[str, tuple[Callable[..., object], str]] = {
    "another kind of content": (retype(TST_INFO), "the CMS signature is not one over data"),
    "another kind of content than is signed": (
        lambda p: setattr(p.content.children[0], "contents", TST_INFO),
        "the CMS signature has no signed attributes with its content type",
    ),
    "enveloped data": (
        lambda p: setattr(p.info.children[0], "contents", p.info.children[0].contents[:-1] + b"\3"),
        "the CMS signature is no signature in CMS",
    ),
    "content of its own": (
        lambda p: p.content.children.append(sequence(primitive(OCTETS, b"x"), tag=0xA0)),
        "the CMS signature is not one over data",
    ),
    "two contents": (
        lambda p: p.content.children.append(sequence(primitive(OCTETS, b"x"), primitive(OCTETS, b"y"), tag=0xA0)),
        "the CMS signature is not well-formed",
    ),
    "an unknown version": (lambda p: setattr(p.version, "contents", b"\2"), "the CMS signature is of a version that is not"),
    "a version without end": (
        lambda p: setattr(p.version, "contents", b"\x7f" * 100_000),
        "the CMS signature is of a version that is not known, expected one of 1, 3, 4, 5",
    ),
    "an unknown version of the signer": (
        lambda p: setattr(p.signer.children[0], "contents", b"\0"),
        "the CMS signature is of a version that is not known, expected one of 1, 3",
    ),
    "nobody": (lambda p: p.signers.children.clear(), "the CMS signature holds 0 signatures and 1 hashes, expected 1 to 8"),
    "two signers": (double(lambda p: p.signers), "the CMS signature is by 2 signers, expected one"),
    "nine signers": (
        lambda p: setattr(p.signers, "children", p.signers.children * 9),
        "the CMS signature holds 9 signatures and 1 hashes, expected 1 to 8",
    ),
    "nine hashes": (
        lambda p: setattr(p.hashes, "children", p.hashes.children * 9),
        "the CMS signature holds 1 signatures and 9 hashes, expected 1 to 8",
    ),
    "no hash that is announced": (
        lambda p: p.hashes.children.clear(),
        "the CMS signature does not announce the hash sha256 of a signature in it",
    ),
    "33 certificates": (
        lambda p: p.certificates.children.extend([certificate_node(LOCAL.root)] * 31),
        "the CMS signature holds 33 certificates, expected at most 32",
    ),
    "a certificate that is none": (
        lambda p: p.certificates.children.append(sequence(primitive(NULL, b""))),
        "a certificate in the CMS signature is not well-formed",
    ),
    "an attribute twice": (double(lambda p: p.attributes), "the CMS signature has the attribute .* twice"),
    "two values of a digest": (
        double(lambda p: p.attribute(MESSAGE_DIGEST).children[1]),
        "the CMS signature has 2 values of the attribute 1.2.840.113549.1.9.4, expected one",
    ),
    "no value of a digest": (
        lambda p: p.attribute(MESSAGE_DIGEST).children[1].children.clear(),
        "the CMS signature has the attribute .* twice, or 0 values of it",
    ),
    "33 values": (
        lambda p: p.attribute(MESSAGE_DIGEST).children[1].children.extend([primitive(NULL, b"")] * 32),
        "the CMS signature has the attribute .* twice, or 33 values of it",
    ),
    "33 attributes": (
        lambda p: p.attributes.children.extend(
            sequence(primitive(OID, bytes([42, n])), sequence(primitive(NULL, b""), tag=SET)) for n in range(29)
        ),
        "the CMS signature has 33 attributes, expected at most 32",
    ),
    "no attributes": (lambda p: p.signer.children.remove(p.attributes), "the CMS signature has no signed attributes with"),
    "empty attributes": (lambda p: p.attributes.children.clear(), "the CMS signature has no signed attributes with"),
    "no content type": (
        lambda p: p.attributes.children.remove(p.attribute(CONTENT_TYPE)),
        "the CMS signature has no signed attributes with its content type",
    ),
    "no digest": (
        lambda p: p.attributes.children.remove(p.attribute(MESSAGE_DIGEST)),
        "the CMS signature has no message digest by sha256 among its signed attributes",
    ),
    "a digest of another length": (
        lambda p: setattr(p.attribute(MESSAGE_DIGEST).children[1].children[0], "contents", bytes(31)),
        "the CMS signature has no message digest by sha256 among its signed attributes",
    ),
    "a digest of another kind": (
        lambda p: setattr(p.attribute(MESSAGE_DIGEST).children[1].children[0], "tag", 0x0C),
        "the CMS signature is not well-formed",
    ),
    "SHA-1": (other_hash(SHA1), "the CMS signature is made with the hash sha1, expected one of sha256, sha384, sha512"),
    "a hash that nobody knows": (other_hash(b"\x2a\x03"), "the CMS signature is made with the hash 1.2.3, expected one of"),
    "a hash with parameters": (
        lambda p: setattr(p.hash, "children", [p.hash.children[0], primitive(INTEGER, b"\1")]),
        "the CMS signature is not well-formed",
    ),
    "another hash than the scheme's": (
        lambda p: setattr(p.algorithm.children[0], "contents", ECDSA_SHA512),
        "the CMS signature is made with ecdsa-sha512 and a digest by sha256, expected one hash throughout",
    ),
    "an algorithm that nobody knows": (
        lambda p: setattr(p.algorithm.children[0], "contents", b"\x2a\x03"),
        "the CMS signature is made with the algorithm 1.2.3, which is not supported",
    ),
    "an algorithm with parameters": (
        lambda p: p.algorithm.children.append(primitive(INTEGER, b"\1")),
        "the CMS signature is made with sha256_ecdsa and parameters, expected none",
    ),
    "PSS without parameters": (
        lambda p: setattr(p.algorithm.children[0], "contents", RSASSA_PSS),
        "the CMS signature is made with PSS of other parameters",
    ),
    "PSS of SHA-1, by default": (
        lambda p: setattr(p.algorithm, "children", [primitive(OID, RSASSA_PSS), sequence()]),
        "the CMS signature is made with PSS of other parameters",
    ),
    "a long object identifier": (
        lambda p: setattr(p.algorithm.children[0], "contents", b"\x81" * 1000 + b"\1"),
        "the CMS signature is not DER: an object identifier has 1001 bytes",
    ),
    "an attribute without end": (
        lambda p: setattr(p.attribute(SIGNING_CERTIFICATE_V2).children[1].children[0].children[0], "children", []),
        "the CMS signature is not well-formed",
    ),
} | {
    f"fields that nobody knows, in {name}": (
        lambda p, node=node: node(p).children.extend([primitive(NULL, b"")] * 2),
        "the CMS signature is not well-formed",
    )
    for name, node in {
        "the whole": lambda p: p.info,
        "the explicit tag": lambda p: p.info.children[1],
        "the structure": lambda p: p.signed,
        "the content": lambda p: p.content,
        "the signer": lambda p: p.signer,
        "its name": lambda p: p.name,
        "its algorithm": lambda p: p.algorithm,
        "its hash": lambda p: p.hash,
        "an attribute": lambda p: p.attributes.children[0],
    }.items()
}


@pytest.mark.parametrize("case", HOSTILE)
def test_refuses(case: str) -> None:
    change, reason = HOSTILE[case]
    with pytest.raises(MalformedError, match=f"^{reason}") as caught:
        VERIFIER.parse(changed(change))
    assert "\n" not in str(caught.value)


def test_parameters_that_are_null_say_nothing() -> None:
    def change(parts: Parts) -> None:
        parts.algorithm.children.append(primitive(NULL, b""))
        parts.hash.children = parts.hash.children[:1]

    assert find(changed(change)).problem is None


def test_refuses_more_than_four_mebibytes() -> None:
    with pytest.raises(MalformedError, match=r"^the CMS signature has 4194305 bytes, expected at most 4194304$"):
        VERIFIER.parse(bytes((4 << 20) + 1))


def test_revocation_lists_and_other_certificates_are_passed_over() -> None:
    def change(parts: Parts) -> None:
        parts.certificates.children.append(sequence(primitive(NULL, b""), tag=0xA1))
        parts.signed.children.insert(4, sequence(sequence(primitive(NULL, b"")), tag=0xA1))

    assert find(changed(change)).facts[0].certificates == LOCAL.certificates
