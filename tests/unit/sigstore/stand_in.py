"""A stand-in for an identity that signs bundles: strict about how it is called, and wrong in one way where a test asks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.contract import BackendContext, BundleBackend, BundleSigner, LogVersion, hookimpl
from hatch_sign.formats.dsse import Envelope, pre_authentication_encoding
from hatch_sign.formats.intoto import PAYLOAD_TYPE
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, encode_bundle, parse_bundle
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import Entry, installed_entries
from hatch_sign.values.errors import CustodyError
from hatch_sign.values.protection import Protection, ProtectionLevel

IDENTITY, ISSUER = "https://example.org/release", "https://issuer.example"
REFERENCE = "standin:release?secret-place=env:NOWHERE"
"""Its query must not be shown."""

_P256 = ec.ECDSA(Prehashed(SHA256()))


@dataclass
class StandIn:
    """The identity: a certificate of its own, and counts of how it was used. Set `mistake` to have it do one thing wrong.

    `fails_for` are digests for which it raises a CustodyError.
    """

    identity: str = IDENTITY
    issuer: str = ISSUER
    concurrency: int = 2
    level: ProtectionLevel = ProtectionLevel.SOFTWARE
    mistake: str = ""
    fails_for: frozenset[bytes] = frozenset()
    opened: int = 0
    signed: int = 0
    logs: list[LogVersion] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _is_open: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def protection(self) -> Protection:
        return Protection(self.level, "a key of the stand-in")

    @contextmanager
    def session(self) -> Iterator[BundleSigner]:
        """Make a key and a certificate, as each run does."""
        self.opened += 1
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certify(self._key, self.identity)
        self._is_open = True
        try:
            yield self
        finally:
            self._is_open = False

    def sign_artifact(self, digest: bytes) -> bytes:
        assert len(digest) == 32
        with self._call():
            if digest in self.fails_for:
                message = "the stand-in fails"
                raise CustodyError(message, remedy="let it be")
            if self.mistake == "answers with no bytes":
                return None  # type: ignore[return-value] # what a plugin returns may be anything
            if self.mistake == "signs something else":
                digest = digest[::-1]
            return self._bundle(MessageSignature("sha256", digest, self._key.sign(digest, _P256)))

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        with self._call():
            self.logs.append(log)
            digest = hashlib.sha256(pre_authentication_encoding(PAYLOAD_TYPE, statement)).digest()
            return self._bundle(Envelope(statement, PAYLOAD_TYPE, self._key.sign(digest, _P256)))

    def has_signed(self, bundle: bytes, digest: bytes | None = None) -> bool:
        parsed = parse_bundle(bundle)
        if isinstance(parsed.content, MessageSignature) != (digest is not None):
            return False
        names = x509.load_der_x509_certificate(parsed.certificates[0]).extensions
        found = names.get_extension_for_class(x509.SubjectAlternativeName).value
        return found.get_values_for_type(x509.UniformResourceIdentifier) == [self.identity]

    @contextmanager
    def _call(self) -> Iterator[None]:
        assert self._is_open
        with self._lock:
            self.signed += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def _bundle(self, content: MessageSignature | Envelope) -> bytes:
        certificate = self._certificate
        if self.mistake == "names somebody else":
            certificate = _certify(self._key, "https://example.org/somebody-else")
        if self.mistake == "brings the certificate of another key":
            certificate = _certify(ec.generate_private_key(ec.SECP256R1()), self.identity)
        return encode_bundle(Bundle(content, certificates=(certificate.public_bytes(Encoding.DER),)))


class StandInBackend:
    """The backend of one stand-in."""

    name = "stand-in"
    uri_schemes: Sequence[str] = ("standin",)

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[BundleSigner]:
        assert reference == REFERENCE
        assert context.max_concurrency > 0
        with self._stand_in.session() as signer:
            yield signer


def registry_with(stand_in: StandIn) -> Registry:
    """Return what finds the stand-in beside all that is installed."""

    class Plugin:
        @staticmethod
        @hookimpl
        def hatch_sign_register_bundle_signer() -> BundleBackend:
            return StandInBackend(stand_in)

    class Point(EntryPoint):
        def load(self) -> object:
            return Plugin

    entry = Entry("bundle-signer", "standin", "tests", "1", Point("bundle-signer.standin", "tests", "hatch_sign"))
    return Registry([*installed_entries(), entry])


def _certify(key: ec.EllipticCurvePrivateKey, identity: str) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=True)
        .sign(key, SHA256())
    )
