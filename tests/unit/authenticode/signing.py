"""PE files that are signed in memory, and signatures that are put together wrongly."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.formats.asn1 import core, der_contents
from hatch_sign.formats.cms.encoding import AttributeTable, encode_attributes, encode_signed_data
from hatch_sign.formats.cms.parsing import CONTENT_TYPE, MESSAGE_DIGEST
from hatch_sign.formats.cms.structures import ContentInfo
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign_authenticode.content import ImageContent, encode_content
from hatch_sign_authenticode.pe import digest, parse_pe, read_signatures, write_signatures
from hatch_sign_authenticode.producer import AuthenticodeProducer
from hatch_sign_authenticode.structures import INDIRECT_DATA
from hatch_sign_authenticode.verifier import AuthenticodeVerifier
from tests.authority import Holder, code_signing_chain

from .images import make_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Finding, Witness

IMAGE = make_image()


def signer(algorithm: str = "rsa-3072") -> Holder:
    return code_signing_chain(algorithm)


def make_seal(
    options: Mapping[str, Any] | None = None,
    *,
    scheme: Scheme = Scheme.RSA_PKCS1_SHA256,
    holder: Holder | None = None,
    witnesses: Sequence[Witness] = (),
) -> KeySeal:
    who = holder or signer()
    return KeySeal(who.key, scheme, certificates=who.certificates, options=dict(options or {}), witnesses=witnesses)


def sign(image: bytes = IMAGE, options: Mapping[str, Any] | None = None, **seal: object) -> bytes:
    """Return the image with a signature inside."""
    target = io.BytesIO()
    assert AuthenticodeProducer().embed(io.BytesIO(image), target, make_seal(options, **seal))
    return target.getvalue()


def check(image: bytes) -> Finding:
    return AuthenticodeVerifier().check("example.exe", io.BytesIO(image), [])


def signatures_in(image: bytes) -> tuple[bytes, ...]:
    return read_signatures(io.BytesIO(image), parse_pe(io.BytesIO(image)))


def with_signatures(*signatures: bytes, image: bytes = IMAGE) -> bytes:
    """Return the image with these PKCS #7 structures inside, whatever they are."""
    target = io.BytesIO()
    write_signatures(io.BytesIO(image), target, parse_pe(io.BytesIO(image)), signatures)
    return target.getvalue()


def content_of(image: bytes = IMAGE, hash_: str = "sha256") -> bytes:
    return encode_content(ImageContent(hash_, digest(io.BytesIO(image), parse_pe(io.BytesIO(image)), hash_)))


@dataclass(frozen=True)
class Crafted:
    """A signature whose every part may be wrong; as it stands, it is a good one over :data:`IMAGE`."""

    content: bytes = content_of()
    content_type: str = INDIRECT_DATA
    hash: str = "sha256"
    scheme: Scheme = Scheme.RSA_PKCS1_SHA256
    digest: bytes | None = None
    more: AttributeTable | None = None
    unsigned: AttributeTable | None = None
    certificates: Sequence[Certificate] | None = None
    holder: Holder | None = None

    def encode(self) -> bytes:
        who = self.holder or signer()
        message_digest = self.digest or hashlib.new(self.hash, der_contents(self.content)).digest()
        attributes = encode_attributes(
            {
                CONTENT_TYPE: [core.ObjectIdentifier(self.content_type).dump()],
                MESSAGE_DIGEST: [core.OctetString(message_digest).dump()],
                **(self.more or {}),
            }
        )
        return encode_signed_data(
            version=1,
            content_type=self.content_type,
            content=self.content,
            attributes=attributes,
            hash_=self.hash,
            scheme=self.scheme,
            signature=KeySeal(who.key, self.scheme).sign(attributes),
            certificates=self.certificates or who.certificates,
            unsigned=self.unsigned,
        )


def with_sha1(blob: bytes) -> bytes:
    """Return a signature whose signer names SHA-1, whatever it is made with."""
    info = ContentInfo.load(blob)
    info["content"]["signer_infos"][0]["digest_algorithm"]["algorithm"] = "sha1"
    return bytes(info.dump(force=True))


def without_certificate(blob: bytes) -> bytes:
    """Return a signature that brings the certificates of the issuers alone."""
    info = ContentInfo.load(blob)
    leaf = signer().certificate.public_bytes(Encoding.DER)
    info["content"]["certificates"] = [each for each in info["content"]["certificates"] if each.dump() != leaf]
    return bytes(info.dump(force=True))
