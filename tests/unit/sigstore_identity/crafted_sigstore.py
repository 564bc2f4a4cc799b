"""A Sigstore of three keys and no server: certificates, log entries and bundles, right or with any one mistake.

What Fulcio, its certificate log and Rekor v1 would sign is signed here, byte for byte as their specifications have it
(RFC 6962 §3.2; Rekor's signed entry timestamps and checkpoints), so that sigstore-python accepts it under the trusted root.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.formats.asn1 import encode_der

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ISSUER = "https://token.actions.githubusercontent.com"
REPOSITORY = "https://github.com/example/demo"
IDENTITY = f"{REPOSITORY}/.github/workflows/release.yml@refs/tags/v1.0"

_ARC = "1.3.6.1.4.1.57264.1"
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_MINUTES = timedelta(minutes=10)
_PAYLOAD_TYPE = "application/vnd.in-toto+json"


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def utf8(text: str) -> bytes:
    return encode_der(0x0C, text.encode())


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Leaf:
    """A certificate of Fulcio and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def extension(number: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_ARC}.{number}"), value)


def github_claims(
    *, issuer: str = ISSUER, config: str = IDENTITY, signer: str = IDENTITY
) -> tuple[x509.UnrecognizedExtension, ...]:
    """Return what Fulcio says of a workflow: `config` was started, and `signer` ran the job."""
    texts = {8: issuer, 9: signer, 12: REPOSITORY, 18: config}
    return extension(1, issuer.encode()), *(extension(number, utf8(text)) for number, text in texts.items())


@dataclass(eq=False)
class CraftedSigstore:
    """One instance: its authority, the log of certificates, and the log of signatures."""

    authority_key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    def __post_init__(self) -> None:
        """Make the certificate of the authority."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crafted")])
        public = self.authority_key.public_key()
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # noqa: FBT003 - to sign certificates
        self.authority = (
            x509.CertificateBuilder(name, name, public, 1, NOW - timedelta(days=365), NOW + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority_key, hashes.SHA256())
        )

    @property
    def trusted_root(self) -> dict[str, Any]:
        start = {"start": "2025-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            public = {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start}
            address = "http://localhost:1"
            return {"baseUrl": address, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": log_id(key)}}

        authority = {"rawBytes": b64(self.authority.public_bytes(Encoding.DER))}
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self.log)],
            "ctlogs": [log(self.certificate_log)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "crafted", "commonName": "crafted"},
                    "uri": "http://localhost:1",
                    "certChain": {"certificates": [authority]},
                    "validFor": start,
                }
            ],
            "timestampAuthorities": [],
        }

    def certify(
        self,
        *,
        names: tuple[x509.GeneralName, ...] = (x509.UniformResourceIdentifier(IDENTITY),),
        claims: tuple[x509.UnrecognizedExtension, ...] = github_claims(),
        begins: datetime = NOW,
        logged: bool = True,
    ) -> Leaf:
        """Return a certificate for ten minutes, with a signed certificate timestamp if `logged`."""
        key = new_key()
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)  # noqa: FBT003 - to sign alone
        builder = (
            x509.CertificateBuilder(self.authority.subject, x509.Name([]), key.public_key(), 2, begins, begins + _MINUTES)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority_key.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
        )
        for claim in claims:
            builder = builder.add_extension(claim, critical=False)
        if logged:
            unlogged = builder.sign(self.authority_key, hashes.SHA256()).tbs_certificate_bytes
            builder = builder.add_extension(self._certificate_timestamp(unlogged, begins), critical=False)
        return Leaf(key, builder.sign(self.authority_key, hashes.SHA256()))

    def _certificate_timestamp(self, unlogged: bytes, at: datetime) -> x509.UnrecognizedExtension:
        milliseconds = struct.pack(">Q", int(at.timestamp() * 1000))
        issuer = hashlib.sha256(spki(self.authority_key)).digest()
        length = struct.pack(">I", len(unlogged))[1:]
        signature = sign(self.certificate_log, b"\0\0" + milliseconds + b"\0\1" + issuer + length + unlogged + b"\0\0")
        log = hashlib.sha256(spki(self.certificate_log)).digest()
        stamp = b"\0" + log + milliseconds + b"\0\0" + b"\4\3" + struct.pack(">H", len(signature)) + signature
        listed = struct.pack(">HH", len(stamp) + 2, len(stamp)) + stamp
        return x509.UnrecognizedExtension(_SCTS, encode_der(0x04, listed))

    def entry(self, kind: str, spec: dict[str, Any], *, at: datetime = NOW) -> dict[str, Any]:
        """Return the entry of a log of one leaf, with its promise and its proof."""
        body = canonical({"apiVersion": "0.0.1", "kind": kind, "spec": spec})
        seconds, root = int(at.timestamp()), hashlib.sha256(b"\0" + body).digest()
        promised = {"body": b64(body), "integratedTime": seconds, "logIndex": 0}
        promised["logID"] = hashlib.sha256(spki(self.log)).hexdigest()
        note = f"crafted\n1\n{b64(root)}\n"
        signed = b64(base64.b64decode(log_id(self.log))[:4] + sign(self.log, note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": log_id(self.log)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": b64(sign(self.log, canonical(promised)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 crafted {signed}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def message_bundle(self, artifact: bytes, leaf: Leaf | None = None, *, at: datetime = NOW) -> dict[str, Any]:
        """Return a bundle with a message signature over `artifact`, logged at an instant."""
        leaf = leaf or self.certify()
        digest, signature = hashlib.sha256(artifact).digest(), sign(leaf.key, artifact)
        pem = b64(leaf.certificate.public_bytes(Encoding.PEM))
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
            "signature": {"content": b64(signature), "publicKey": {"content": pem}},
        }
        content = {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)}, "signature": b64(signature)}
        return {**self._material(leaf, self.entry("hashedrekord", spec, at=at)), "messageSignature": content}

    def statement_bundle(self, payload: bytes, leaf: Leaf | None = None, *, at: datetime = NOW) -> dict[str, Any]:
        """Return a bundle with an envelope round `payload`, logged at an instant."""
        leaf = leaf or self.certify()
        kind = _PAYLOAD_TYPE.encode()
        signature = sign(leaf.key, b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
        content = {
            "payload": b64(payload),
            "payloadType": _PAYLOAD_TYPE,
            "signatures": [{"sig": b64(signature), "keyid": ""}],
        }
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(canonical(content)).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [
                {"signature": b64(signature), "verifier": b64(leaf.certificate.public_bytes(Encoding.PEM))},
            ],
        }
        return {**self._material(leaf, self.entry("dsse", spec, at=at)), "dsseEnvelope": content}

    @staticmethod
    def _material(leaf: Leaf, entry: dict[str, Any]) -> dict[str, Any]:
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": b64(leaf.der)}, "tlogEntries": [entry]},
        }


def log_id(key: ec.EllipticCurvePrivateKey) -> str:
    return b64(hashlib.sha256(spki(key)).digest())


def statement(name: str, artifact: bytes, predicate_type: str, predicate: object = None) -> bytes:
    """Return an in-toto statement of version 1 over one artifact."""
    subject = {"name": name, "digest": {"sha256": hashlib.sha256(artifact).hexdigest()}}
    table = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": predicate_type}
    return canonical({**table, "predicate": predicate})
