"""A timestamp authority of the tests, in a function: tokens as RFC 3161 wants them, and with one mistake each.

It is written on asn1crypto's own structures, not on those of the package, and each mistake is signed like the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from asn1crypto import cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.authority import Holder, PrivateKey, make_tsa

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

TIME = datetime(2026, 6, 1, 12, tzinfo=UTC)
NONCE = 0x0123456789ABCDEF0123
POLICY = "2.999.3161"
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True)
class Stamp:
    """What an authority puts into a token; each field is a mistake that some test makes.

    `identifiers` are the signing-certificate attributes: their version, and the certificate that they name. `signers` are
    more who sign the same. `certificates` are those inside, by default the holder's.
    """

    holder: Holder = field(default_factory=make_tsa)
    time: datetime | bytes = TIME
    hash: str = "sha256"
    imprint: bytes | None = None
    nonce: int | None = NONCE
    version: int = 1
    accuracy: dict[str, int] | None = None
    ordering: bool = False
    authority_name: bool = False
    extensions: Sequence[tuple[str, bool]] = ()
    content_type: str = "tst_info"
    signer_hash: str = "sha256"
    identifiers: Sequence[tuple[int, Certificate | None]] = ((2, None),)
    identifier_hash: str = "sha256"
    issuer_serial: Certificate | None = None
    certificates: Sequence[Certificate] | None = None
    signers: Sequence[Holder] = ()
    unsigned: Sequence[bytes] = ()
    trailing: bytes = b""

    def token(self, signature: bytes = b"signature") -> bytes:
        """Return the DER of a token over `signature`."""
        content = self._info(signature) + self.trailing
        inside = self.holder.certificates if self.certificates is None else self.certificates
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": self.signer_hash}],
            "encap_content_info": {"content_type": self.content_type, "content": core.ParsableOctetString(content)},
            "certificates": [cms.CertificateChoices("certificate", x509.Certificate.load(der(each))) for each in inside],
            "signer_infos": [self._signer(each, content) for each in (self.holder, *self.signers)],
        }
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump())

    def reply(self, signature: bytes = b"signature") -> bytes:
        """Return the DER of the reply around such a token."""
        return reply(self.token(signature))

    def _info(self, signature: bytes) -> bytes:
        info = {
            "version": self.version,
            "policy": POLICY,
            "message_imprint": {
                "hash_algorithm": {"algorithm": self.hash},
                "hashed_message": hashlib.new(self.hash, signature).digest() if self.imprint is None else self.imprint,
            },
            "serial_number": 7,
            "gen_time": (
                core.GeneralizedTime(self.time)
                if isinstance(self.time, datetime)
                else core.GeneralizedTime(contents=self.time)
            ),
        }
        if self.accuracy is not None:
            info["accuracy"] = self.accuracy
        if self.ordering:
            info["ordering"] = True
        if self.nonce is not None:
            info["nonce"] = self.nonce
        if self.authority_name:
            info["tsa"] = x509.GeneralName("directory_name", x509.Name.build({"common_name": "anybody at all"}))
        if self.extensions:
            info["extensions"] = [{"extn_id": n, "critical": c, "extn_value": b"\x05\x00"} for n, c in self.extensions]
        return bytes(tsp.TSTInfo(info).dump())

    def _signer(self, holder: Holder, content: bytes) -> cms.SignerInfo:
        encoded = x509.Certificate.load(der(holder.certificate))
        digest = hashlib.new(self.signer_hash, content).digest()
        attributes = [attribute("content_type", self.content_type), attribute("message_digest", digest)]
        attributes += [self._identifier(version, meant or holder.certificate) for version, meant in self.identifiers]
        signed = cms.CMSAttributes(attributes)
        signer = {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": encoded.issuer, "serial_number": encoded.serial_number}},
            "digest_algorithm": {"algorithm": self.signer_hash},
            "signed_attrs": signed,
            "signature_algorithm": {"algorithm": _algorithm(holder.key, self.signer_hash)},
            "signature": sign(holder.key, signed.dump(), self.signer_hash),
        }
        if self.unsigned:
            signer["unsigned_attrs"] = [attribute("1.2.3.4.5", core.OctetString(value)) for value in self.unsigned]
        return cms.SignerInfo(signer)

    def _identifier(self, version: int, meant: Certificate) -> cms.CMSAttribute:
        hash_ = "sha1" if version == 1 else self.identifier_hash
        identifier: dict[str, Any] = {"cert_hash": hashlib.new(hash_, der(meant)).digest()}
        if version != 1 and hash_ != "sha256":
            identifier["hash_algorithm"] = {"algorithm": hash_}
        if self.issuer_serial is not None:
            named = x509.Certificate.load(der(self.issuer_serial))
            issuer = x509.GeneralName("directory_name", named.issuer)
            identifier["issuer_serial"] = {"issuer": [issuer], "serial_number": named.serial_number}
        kind = "signing_certificate" if version == 1 else "signing_certificate_v2"
        return attribute(kind, {"certs": [identifier]})


def reply(token: bytes | None, *, status: int = 0, texts: Sequence[str] = (), failures: Sequence[int] = ()) -> bytes:
    """Return the DER of a reply; `failures` are the numbers of the bits in failInfo."""
    info: dict[str, Any] = {"status": status}
    if texts:
        info["status_string"] = list(texts)
    if failures:
        info["fail_info"] = tsp.PKIFailureInfo(tuple(int(bit in failures) for bit in range(max(failures) + 1)))
    encoded = tsp.PKIStatusInfo(info).dump() + (token or b"")
    return bytes(core.Sequence(contents=encoded).dump())


def attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def der(certificate: Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def sign(key: PrivateKey, message: bytes, hash_: str) -> bytes:
    algorithm = _HASHES[hash_]()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), algorithm)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(message, ec.ECDSA(algorithm))


def _algorithm(key: PrivateKey, hash_: str) -> str:
    return "rsassa_pkcs1v15" if isinstance(key, rsa.RSAPrivateKey) else f"{hash_}_ecdsa"


GOOD = Stamp()


def changed(**fields: Any) -> Stamp:  # noqa: ANN401 - a Stamp's
    return replace(GOOD, **fields)
