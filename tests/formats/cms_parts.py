"""One CMS signature, taken apart into what the tests of the verifier change, and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.values.outcomes import Verdict
from tests.authority import code_signing_chain

from .cms_samples import made
from .der_trees import SET, Node, tree

if TYPE_CHECKING:
    from cryptography import x509

    from hatch_sign.contract import Finding

LOCAL = code_signing_chain("ecdsa-p256")

CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910020c")
SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
SHA1, SHA512 = bytes.fromhex("2b0e03021a"), bytes.fromhex("608648016503040203")
ECDSA_SHA512 = bytes.fromhex("2a8648ce3d040304")
RSASSA_PSS = bytes.fromhex("2a864886f70d01010a")


class Parts:
    """One signature, taken apart into what the tests change."""

    def __init__(self, data: bytes) -> None:
        self.info = tree(data)
        (self.signed,) = self.info.children[1].children
        self.version, self.hashes, self.content, self.certificates, self.signers = self.signed.children
        (self.signer,) = self.signers.children
        self.name, self.hash, self.attributes, self.algorithm, self.signature = self.signer.children[1:6]

    def attribute(self, number: bytes) -> Node:
        """Return one signed attribute: its number and the set of its values."""
        return next(each for each in self.attributes.children if each.children[0].contents == number)

    def sign(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Sign the attributes as they have become."""
        message = Node(SET, children=self.attributes.children).encoded()
        self.signature.contents = key.sign(message, ec.ECDSA(SHA256()))

    def encoded(self) -> bytes:
        return self.info.encoded()


def changed(change: Callable[[Parts], object], data: bytes | None = None, *, signed: bool = False) -> bytes:
    """Return a signature after `change`; with `signed`, the signer has signed what it made of the attributes."""
    parts = Parts(made() if data is None else data)
    change(parts)
    if signed:
        assert isinstance(LOCAL.key, ec.EllipticCurvePrivateKey)
        parts.sign(LOCAL.key)
    return parts.encoded()


def assert_untrusted(finding: Finding, reason: str) -> None:
    assert (finding.problem, finding.facts) == (Verdict.UNTRUSTED, ())
    assert reason in finding.detail


def certificate_node(certificate: x509.Certificate) -> Node:
    return tree(certificate.public_bytes(Encoding.DER))
