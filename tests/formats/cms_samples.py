"""What the tests of CMS sign, with whose keys, and signatures that other code made: cryptography's own PKCS #7."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from hatch_sign.contract import Evidence
from hatch_sign.formats.cms.producer import CmsProducer
from hatch_sign.formats.cms.verifier import CmsVerifier
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Subject
from tests.authority import Holder, code_signing_chain

from .stamps import GOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography import x509

    from hatch_sign.contract import Finding, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind

CONTENT = b"the bytes of an artifact"
HASHES: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
PRODUCER, VERIFIER = CmsProducer(), CmsVerifier()
SCHEMES = {
    "ecdsa-p256": [Scheme.ECDSA_SHA256],
    "ecdsa-p384": [Scheme.ECDSA_SHA384, Scheme.ECDSA_SHA256],
    "ecdsa-p521": [Scheme.ECDSA_SHA512],
    "rsa-3072": [Scheme.RSA_PKCS1_SHA256, Scheme.RSA_PKCS1_SHA512, Scheme.RSA_PSS_SHA256, Scheme.RSA_PSS_SHA384],
}


def subject_of(content: bytes) -> Subject:
    return Subject("example-1.0.tar.gz", len(content), {name: hashlib.new(name, content).digest() for name in HASHES})


SUBJECT, CHANGED = subject_of(CONTENT), subject_of(CONTENT + b"!")


class Stamping:
    """A witness of the time that answers what `reply` makes of a signature: by default, a good timestamp."""

    kind: EvidenceKind = "timestamp"

    def __init__(self, reply: Callable[[bytes], bytes] = GOOD.reply) -> None:
        self._reply = reply

    def attest(self, request: WitnessRequest) -> Evidence:
        return Evidence("timestamp", self._reply(request.signature))

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Accept everything."""


def seal_of(holder: Holder | None = None, scheme: Scheme = Scheme.ECDSA_SHA256, **changes: Any) -> KeySeal:  # noqa: ANN401 - KeySeal's
    """Return a seal under the whole chain of `holder`, its root included."""
    holder = holder or code_signing_chain("ecdsa-p256")
    chain = dict.fromkeys((*holder.certificates, holder.root))
    return KeySeal(holder.key, scheme, **{"certificates": tuple(chain)} | changes)


def made(holder: Holder | None = None, scheme: Scheme = Scheme.ECDSA_SHA256, **changes: Any) -> bytes:  # noqa: ANN401 - as above
    """Return a signature over CONTENT by the package itself."""
    return PRODUCER.sign(SUBJECT, seal_of(holder, scheme, **changes))


def made_by_cryptography(
    holder: Holder,
    scheme: Scheme,
    *options: pkcs7.PKCS7Options,
    certificates: Sequence[x509.Certificate] = (),
) -> bytes:
    """Return a detached signature over CONTENT by PKCS7SignatureBuilder."""
    assert isinstance(holder.key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    hash_ = HASHES[str(scheme.hash)]
    pss = padding.PSS(padding.MGF1(hash_), hash_.digest_size) if scheme.family == "rsa-pss" else None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT)
    builder = builder.add_signer(holder.certificate, holder.key, hash_, rsa_padding=pss)  # type: ignore[arg-type] # of the three
    for certificate in certificates or holder.certificates[1:]:
        builder = builder.add_certificate(certificate)
    chosen = options or (pkcs7.PKCS7Options.DetachedSignature,)
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, *chosen])


def find(data: bytes, *keys: Any, subject: Subject = SUBJECT) -> Finding:  # noqa: ANN401 - public keys of any kind
    return VERIFIER.check(VERIFIER.parse(data), [subject], keys)[subject.name]
