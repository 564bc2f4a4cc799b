"""openssl, pyHanko and we agree on every CMS signature that we make, and on what is left of it after somebody was at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.formats.cms.armor import armor
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.outcomes import Verdict
from tests.authority import Authority, Holder, code_signing_chain
from tests.formats.der_trees import Node, tree
from tests.peers.codesigning.cms_judges import CONTENT, FORMAT, TSA, Case, openssl, ours, pyhanko, signed
from tests.peers.codesigning.programs import openssl_ts_verify

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

ALGORITHMS = {
    "P-256": ("ecdsa-p256", Scheme.ECDSA_SHA256),
    "P-384": ("ecdsa-p384", Scheme.ECDSA_SHA384),
    "P-521": ("ecdsa-p521", Scheme.ECDSA_SHA512),
    "RSA-3072": ("rsa-3072", Scheme.RSA_PKCS1_SHA256),
    "RSA-3072 PSS": ("rsa-3072", Scheme.RSA_PSS_SHA256),
    "RSA-4096": ("rsa-4096", Scheme.RSA_PKCS1_SHA512),
}
LONGEST_CLOCK = timedelta(minutes=5)
STAMPED = pytest.mark.parametrize("stamped", [False, True], ids=["bare", "stamped"])
LEAF = code_signing_chain("ecdsa-p256", 3)


@STAMPED
@pytest.mark.parametrize("length", [2, 3, 4])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_accept(algorithm: str, length: int, stamped: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    kind, scheme = ALGORITHMS[algorithm]
    case = signed(tmp_path, code_signing_chain(kind, length), scheme, stamped=stamped)
    outcome = ours(case)
    assert (outcome.verdict, outcome.signer) == (Verdict.TRUSTED, "CN=Example Code Signer,O=Example Ltd,C=SI")
    assert (outcome.time is not None) is stamped
    assert openssl(case, "-cades") == ""
    assert pyhanko(case) == ""


@pytest.mark.parametrize("algorithm", ["P-256", "RSA-3072 PSS"])
def test_openssl_accepts_the_timestamp_and_we_show_its_time(algorithm: str, tmp_path: Path) -> None:
    kind, scheme = ALGORITHMS[algorithm]
    case = signed(tmp_path, code_signing_chain(kind), scheme, stamped=True)
    (token,) = FORMAT.verifier().parse(case.signature).timestamps  # type: ignore[union-attr] # of a sidecar
    signature = FORMAT.producer().signature(case.signature)  # type: ignore[union-attr] # takes timestamps
    assert openssl_ts_verify(token, signature, TSA.root, is_token=True).accepted
    foreign = openssl_ts_verify(token, signature + b"\0", TSA.root, is_token=True)
    assert "message imprint mismatch" in foreign.refusal
    outcome = ours(case)
    assert outcome.time is not None
    assert abs(outcome.time - datetime.now(UTC)) < LONGEST_CLOCK


def test_all_read_pem(tmp_path: Path) -> None:
    case = signed(tmp_path, LEAF, Scheme.ECDSA_SHA256)
    armored = case.changed(signature=armor(case.signature))
    assert openssl(armored, "-cades", form="PEM") == ""
    assert ours(armored).verdict is Verdict.TRUSTED
    broken = armored.changed(signature=armored.signature.replace(b"\nM", b"\nN", 1))
    assert openssl(broken, form="PEM") != ""
    assert ours(broken).verdict is Verdict.MALFORMED


# --- what an attacker makes of it


class Parts:
    """The values of one signature that the attacks change."""

    def __init__(self, data: bytes) -> None:
        self.info = tree(data)
        (signed_data,) = self.info.children[1].children
        self.certificates, self.signers = signed_data.children[3:5]
        self.signer = self.signers.children[0]
        self.name, _, self.attributes, _, self.signature, *self.unsigned = self.signer.children[1:]


def altered(case: Case, change: Callable[[Parts], object]) -> Case:
    parts = Parts(case.signature)
    change(parts)
    return case.changed(signature=parts.info.encoded())


def node(certificate: x509.Certificate) -> Node:
    return tree(certificate.public_bytes(Encoding.DER))


def flip(value: Node) -> None:
    middle = len(value.contents) // 2
    value.contents = value.contents[:middle] + bytes([value.contents[middle] ^ 1]) + value.contents[middle + 1 :]


def attribute(parts: Parts, number: str) -> Node:
    return next(each for each in parts.attributes.children if each.children[0].contents == bytes.fromhex(number))


MESSAGE_DIGEST, SIGNING_TIME = "2a864886f70d010904", "2a864886f70d010905"


def change_signing_time(parts: Parts) -> None:
    attribute(parts, SIGNING_TIME).children[1].children[0].contents = b"260101000000Z"


def forge_digest(parts: Parts) -> None:
    flip(attribute(parts, MESSAGE_DIGEST).children[1].children[0])


def strip_attributes(parts: Parts) -> None:
    parts.signer.children.remove(parts.attributes)


def swap_for_a_forged_certificate(parts: Parts) -> None:
    """Put in a certificate of the same name and number, for another key, that nobody whom anybody trusts has signed."""
    forger = Authority("Code Signing Intermediate 1")
    forged = node(forger.issue("Example Code Signer", LEAF.key))
    forged.children[0].children[1] = node(LEAF.certificate).children[0].children[1]
    parts.certificates.children = [forged, node(LEAF.certificates[1])]


def swap_for_a_twin(parts: Parts) -> None:
    """Put in another good certificate of the same key (RFC 5035 §5)."""
    twin = twin_of(LEAF)
    serial = twin.serial_number
    parts.name.children[1].contents = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    parts.certificates.children = [node(twin), node(LEAF.certificates[1])]


def twin_of(holder: Holder) -> x509.Certificate:
    assert holder.authority is not None
    return holder.authority.issue("Example Code Signer", holder.key)


@dataclass(frozen=True)
class Attack:
    """What is done to a signature, and what is said of it: our verdict and a part of its reason, and of openssl's."""

    change: Callable[[Parts], object]
    verdict: Verdict
    reason: str
    openssl: str


ATTACKS = {
    "the signature": Attack(
        lambda parts: flip(parts.signature), Verdict.UNTRUSTED, "not by the ecdsa-p256 key", "verification failure"
    ),
    "a signed attribute": Attack(
        change_signing_time, Verdict.UNTRUSTED, "not by the ecdsa-p256 key", "verification failure"
    ),
    "the signed digest": Attack(forge_digest, Verdict.HASH_MISMATCH, "for an artifact with sha256", "verification failure"),
    "no signed attributes": Attack(strip_attributes, Verdict.MALFORMED, "has no signed attributes", "Verification failure"),
    "a forged certificate": Attack(
        swap_for_a_forged_certificate, Verdict.MALFORMED, "none of which it was made with", "certificate verify error"
    ),
    "another certificate of the key": Attack(
        swap_for_a_twin, Verdict.MALFORMED, "none of which it was made with", "ess cert id not found"
    ),
    "no certificate of the signer": Attack(
        lambda parts: parts.certificates.children.remove(node_in(parts, LEAF.certificate)),
        Verdict.UNTRUSTED,
        "does not bring the certificate of its signer",
        "signer certificate not found",
    ),
    "no issuer": Attack(
        lambda parts: parts.certificates.children.remove(node_in(parts, LEAF.certificates[1])),
        Verdict.UNTRUSTED,
        "no chain leads to a configured root",
        "unable to get local issuer certificate",
    ),
}


def node_in(parts: Parts, certificate: x509.Certificate) -> Node:
    encoded = certificate.public_bytes(Encoding.DER)
    return next(each for each in parts.certificates.children if each.encoded() == encoded)


@STAMPED
@pytest.mark.parametrize("kind", ATTACKS)
def test_all_refuse(kind: str, stamped: bool, tmp_path: Path) -> None:  # noqa: FBT001 - as above
    attack = ATTACKS[kind]
    case = altered(signed(tmp_path, LEAF, Scheme.ECDSA_SHA256, stamped=stamped), attack.change)
    outcome = ours(case)
    assert outcome.verdict is attack.verdict
    assert attack.reason in outcome.detail
    assert attack.openssl.lower() in openssl(case, "-cades").lower()
    assert pyhanko(case) != ""


@STAMPED
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_refuse_another_artifact(algorithm: str, stamped: bool, tmp_path: Path) -> None:  # noqa: FBT001 - as above
    kind, scheme = ALGORITHMS[algorithm]
    case = signed(tmp_path, code_signing_chain(kind), scheme, stamped=stamped).changed(content=b"W" + CONTENT[1:])
    outcome = ours(case)
    assert (outcome.verdict, outcome.detail[:42]) == (Verdict.HASH_MISMATCH, "the CMS signature is for an artifact with ")
    assert "verification failure" in openssl(case).lower()
    assert pyhanko(case) != ""


def test_a_timestamp_of_another_signature_is_refused(tmp_path: Path) -> None:
    """Of timestamps in CMS openssl takes no notice; asked about the token alone, it refuses."""
    case = signed(tmp_path, LEAF, Scheme.ECDSA_SHA256, stamped=True)
    other = signed(tmp_path, LEAF, Scheme.ECDSA_SHA256, stamped=True)
    swapped = altered(
        case, lambda parts: setattr(parts.unsigned[0], "children", Parts(other.signature).unsigned[0].children)
    )
    (token,) = FORMAT.verifier().parse(swapped.signature).timestamps  # type: ignore[union-attr] # of a sidecar
    signature = FORMAT.producer().signature(swapped.signature)  # type: ignore[union-attr] # takes timestamps
    assert "message imprint mismatch" in openssl_ts_verify(token, signature, TSA.root, is_token=True).refusal
    outcome = ours(swapped)
    assert outcome.verdict is Verdict.MALFORMED
    assert "timestamp" in outcome.detail
    assert pyhanko(swapped) != ""
    assert ours(case).verdict is Verdict.TRUSTED


def test_a_certificate_that_signed_itself_is_trusted_by_nobody(tmp_path: Path) -> None:
    lonely = code_signing_chain("ecdsa-p256", 1)
    under = Holder(lonely.key, lonely.certificates, LEAF.root)
    case = signed(tmp_path, under, Scheme.ECDSA_SHA256)
    outcome = ours(case)
    assert outcome.verdict is Verdict.UNTRUSTED
    assert "no chain leads to a configured root" in outcome.detail
    assert "self" in openssl(case)
    assert pyhanko(case) != ""
