"""A sketch of an embedded format: files that begin with a magic number get a signature block at their end.

File: content, the block, the block's length in 4 bytes (big-endian), ``TOYEND``. The block is JSON.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.contract import Facts, Finding, Format, hookimpl
from hatch_sign.formats.strict_json import as_object, decode_base64, encode_base64, encode_json, field, parse_json
from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import schemes_of_key, verify_digest

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.public_keys import PublicKey

MAGIC = b"TOYBOX1\n"
END = b"TOYEND"
_LONGEST_BLOCK = 1 << 16
_SCHEMES = {scheme.label: scheme for scheme in Scheme}


class ContainerProducer:
    """An EmbeddedProducer. It signs digests, so it refuses Ed25519."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        return [scheme for scheme in schemes_of_key(key) if scheme.hash is not None]

    def carries(self, seal: Seal) -> Sequence[Certificate]:  # noqa: ARG002 - bare keys only
        return ()

    def digests(self, scheme: Scheme) -> frozenset[str]:
        del scheme  # it reads the stream itself
        return frozenset()

    def embed(self, source: BinaryIO, target: BinaryIO, seal: Seal) -> bool:
        if source.read(len(MAGIC)) != MAGIC:
            return False
        source.seek(0)
        digest = hashlib.new(str(seal.scheme.hash), source.read()).digest()
        block = {
            "scheme": seal.scheme.label,
            "digest": encode_base64(digest),
            "sig": encode_base64(seal.sign_digest(digest)),
        }
        source.seek(0)
        shutil.copyfileobj(source, target)
        encoded = encode_json(block)
        target.write(encoded + len(encoded).to_bytes(4, "big") + END)
        return True


class ContainerVerifier:
    """An EmbeddedVerifier."""

    def check(self, name: str, source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
        del name  # the signature does not cover it
        try:
            return _check(source, keys)
        except MalformedError as error:
            return Finding(problem=Verdict.MALFORMED, detail=error.message)


@hookimpl
def hatch_sign_register_format() -> Format:
    return Format("toy-container", "embedded", "", verifier=ContainerVerifier, producer=ContainerProducer)


def _check(source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
    if source.read(len(MAGIC)) != MAGIC:
        return Finding(problem=Verdict.NOT_APPLICABLE)
    size = source.seek(0, 2)
    source.seek(max(0, size - len(END) - 4))
    length, end = source.read(4), source.read()
    if end != END:
        return Finding(problem=Verdict.UNSIGNED)
    content = size - len(END) - 4 - int.from_bytes(length, "big")
    if not len(MAGIC) <= content or size - content > _LONGEST_BLOCK:
        message = "the block is longer than the file, or than any block"
        raise MalformedError(message)
    source.seek(content)
    scheme, claimed, signature = _parse_block(source.read(size - content - len(END) - 4))
    source.seek(0)
    digest = hashlib.new(str(scheme.hash), source.read(content)).digest()
    if digest != claimed:
        return Finding(problem=Verdict.HASH_MISMATCH)
    for key in keys:
        if verify_digest(key, signature, digest, scheme):
            return Finding([Facts(key, scheme, signature)])
    return Finding(problem=Verdict.UNTRUSTED)


def _parse_block(data: bytes) -> tuple[Scheme, bytes, bytes]:
    table = as_object(parse_json(data, subject="the block"), at="the block", allowed=frozenset({"scheme", "digest", "sig"}))
    scheme = _SCHEMES.get(field(table, "scheme", str, at="the block"))
    digest = decode_base64(field(table, "digest", str, at="the block"), at="digest")
    if scheme is None or scheme.hash is None or len(digest) != DIGEST_SIZES[scheme.hash]:
        message = "the block is by no scheme that it can be by"
        raise MalformedError(message)
    return scheme, digest, decode_base64(field(table, "sig", str, at="the block"), at="sig")
