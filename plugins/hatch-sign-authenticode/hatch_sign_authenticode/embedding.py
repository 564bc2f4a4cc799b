"""A PE file with one more signature inside, or with others than before."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.formats.cms.encoding import replace_unsigned
from hatch_sign.formats.cms.sealing import require_certificate
from hatch_sign.values.errors import UnsupportedError
from hatch_sign_authenticode.content import ImageContent, PageHashes
from hatch_sign_authenticode.making import make_signature
from hatch_sign_authenticode.pe import digest, page_hashes, parse_pe, read_signatures, write_signatures
from hatch_sign_authenticode.signatures import MAX_SIGNATURES, parse_signatures, unsigned_attributes
from hatch_sign_authenticode.structures import NESTED_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign_authenticode.pe import PEFile

_PAGES = "authenticode-page-hashes"
_PAGE_HASH = "sha256"
"""Of pages, whatever the hash of the file: Windows knows page hashes of two kinds, and the other is SHA-1."""


def embed_signature(source: BinaryIO, target: BinaryIO, seal: Seal, certificates: Sequence[Certificate]) -> None:
    """Copy the PE file `source` to `target` with a signature under `seal`.

    Raises as :meth:`~hatch_sign_authenticode.producer.AuthenticodeProducer.embed`.
    """
    require_certificate(certificates)
    if seal.scheme.family != "rsa-pkcs1" or seal.scheme.hash is None:
        message = f"an Authenticode signature cannot be made with {seal.scheme.label}, expected RSA PKCS #1 v1.5"
        raise UnsupportedError(message)
    pe = parse_pe(source)
    present = read_signatures(source, pe) if seal.options.get("authenticode-nested", False) else ()
    require_room(present)
    made = make_signature(_content(source, pe, seal), seal, certificates)
    write_signatures(source, target, pe, add_signature(present, made))


def require_room(present: Sequence[bytes]) -> None:
    """Raise UnsupportedError where one signature more would be too many, MalformedError where those present cannot be read.

    Verifiers would refuse what cannot be read, and with it whatever is added to it.
    """
    count = len(parse_signatures(present))
    if count >= MAX_SIGNATURES:
        message = f"the file holds {count} signatures already, expected fewer than {MAX_SIGNATURES}"
        raise UnsupportedError(message, remedy="unset authenticode-nested, so that they are replaced")


def add_signature(present: Sequence[bytes], added: bytes) -> Sequence[bytes]:
    """Return the signatures that are present, as they were, with another nested in the first; or that other alone.

    Those that are present were found good by :func:`require_room`.
    """
    if not present:
        return [added]
    unsigned = unsigned_attributes(present[0])
    nested = {**unsigned, NESTED_SIGNATURE: (*unsigned.get(NESTED_SIGNATURE, ()), added)}
    return [replace_unsigned(present[0], nested, subject="the signature"), *present[1:]]


def _content(source: BinaryIO, pe: PEFile, seal: Seal) -> ImageContent:
    hash_ = str(seal.scheme.hash)
    pages = PageHashes(_PAGE_HASH, page_hashes(source, pe, _PAGE_HASH)) if seal.options.get(_PAGES, False) else None
    return ImageContent(hash_, digest(source, pe, hash_), pages)
