"""Writes CMS signatures for single artifacts, from their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.formats.cms.armor import armor, is_armored
from hatch_sign.formats.cms.carrying import without_roots
from hatch_sign.formats.cms.detached import SUBJECT, TIMESTAMP, parse_detached
from hatch_sign.formats.cms.encoding import replace_unsigned
from hatch_sign.formats.cms.parsing import DATA
from hatch_sign.formats.cms.sealing import require_certificate, seal_attributes, stamp_attribute
from hatch_sign.formats.cms.signed_attributes import detached_attributes
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import describe_key, schemes_of_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.artifacts import Subject
    from hatch_sign.values.public_keys import PublicKey


class CmsProducer:
    """A :class:`~hatch_sign.contract.SidecarProducer` whose files :class:`~hatch_sign.contract.TakesTimestamps`."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return what is written for such a key: PKCS #1 v1.5 before PSS, which fewer verifiers read, and no Ed25519."""
        return [scheme for scheme in schemes_of_key(key) if scheme.hash is not None]

    def choose_schemes(self, key: PublicKey, options: Mapping[str, Any]) -> Sequence[Scheme]:
        """Return the same; with the option ``cms-pss``, PSS alone. Raises UnsupportedError for Ed25519."""
        schemes = self.schemes(key)
        if not schemes:
            message = f"format cms is not made with {describe_key(key)} keys, whose signatures few readers of CMS accept"
            raise UnsupportedError(message, remedy="sign with a key for ECDSA or RSA, or write another format with this key")
        if options.get("cms-pss", False):
            return [scheme for scheme in schemes if scheme.family != "rsa-pkcs1"]
        return schemes

    def digests(self, scheme: Scheme) -> frozenset[str]:
        """Return the hash of the scheme: it is that of the artifact, too."""
        return frozenset({str(scheme.hash)})

    def carries(self, seal: Seal) -> Sequence[Certificate]:
        """Return the chain without its root. Empty for a bare key."""
        return without_roots(seal.certificates)

    def require_certificate(self, certificates: Sequence[Certificate]) -> None:
        """Raise UnsupportedError for a bare key."""
        require_certificate(certificates)

    def sign(self, subject: Subject, seal: Seal) -> bytes:
        """Return the signature, in DER, or in PEM with the option ``cms-pem``.

        Raises UnsupportedError, before it signs, for a key without certificate, and WitnessError for evidence that is no
        timestamp.
        """
        certificates = self.carries(seal)
        require_certificate(certificates)
        attributes = detached_attributes(subject.digests[str(seal.scheme.hash)], certificates[0], seal.now)
        data = seal_attributes(
            attributes, seal, content_type=DATA, content=None, certificates=certificates, timestamp=TIMESTAMP
        )
        return armor(data) if seal.options.get("cms-pem", False) else data

    def signature(self, data: bytes) -> bytes:
        """Return the signature that timestamps are over. Raises MalformedError."""
        return parse_detached(data).signature.signature

    def with_timestamps(self, data: bytes, timestamps: Sequence[bytes]) -> bytes:
        """Return the file, in DER or PEM as it was, with these timestamps and no others. Raises MalformedError."""
        parsed = parse_detached(data)
        kept = {number: values for number, values in parsed.signature.unsigned.items() if number != TIMESTAMP}
        stamped = replace_unsigned(parsed.der, {**kept, **stamp_attribute(TIMESTAMP, timestamps)}, subject=SUBJECT)
        return armor(stamped) if is_armored(data) else stamped
