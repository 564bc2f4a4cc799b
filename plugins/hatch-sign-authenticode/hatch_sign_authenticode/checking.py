"""Authenticode signatures held against the file that they lie in, and against their own certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.contract.formats import Facts, Finding
from hatch_sign.formats.certificates import certified_key
from hatch_sign.formats.cms.signers import signer_chain
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_authenticode.pe import digests, page_hashes
from hatch_sign_authenticode.signatures import OldSignature, Signature

if TYPE_CHECKING:
    from hatch_sign_authenticode.pe import PEFile

_SUBJECT = "the signature"
_RSA = "rsa-pkcs1"


@dataclass(frozen=True, slots=True)
class Image:
    """A file to hold signatures against, with its digests by all hashes that they were made with."""

    stream: BinaryIO
    pe: PEFile
    digests: Mapping[str, bytes]


def check_signatures(signatures: Sequence[Signature | OldSignature], stream: BinaryIO, pe: PEFile) -> Finding:
    """Return the facts of all signatures, or the first problem. Raises MalformedError.

    Those with a hash that can be forged count for nothing: old files carry them, alone or beside newer ones.
    """
    newer = [signature for signature in signatures if isinstance(signature, Signature)]
    if not newer:
        old = ", ".join(signature.hash for signature in signatures if isinstance(signature, OldSignature))
        return _untrusted(f"it is signed with {old} only, which can be forged, expected sha256, sha384 or sha512")
    image = Image(stream, pe, digests(stream, pe, {signature.content.hash for signature in newer}))
    facts: list[Facts] = []
    for signature in newer:
        finding = _check(signature, image)
        if finding.problem is not None:
            return finding
        facts += finding.facts
    return Finding(facts=tuple(facts))


def _check(signature: Signature, image: Image) -> Finding:
    try:
        mismatch = _mismatch(signature, image)
    except UnsupportedError as error:
        return _untrusted(f"the hashes of the pages in the signature cannot be checked: {error.message}")
    if mismatch:
        return Finding(problem=Verdict.HASH_MISMATCH, detail=mismatch)
    return _check_signer(signature)


def _check_signer(signature: Signature) -> Finding:
    chain = signer_chain(signature.signed, signature.cms, subject=_SUBJECT)
    if not chain:
        return _untrusted("the signature does not bring the certificate of its signer")
    key, scheme = certified_key(chain[0], subject="the signer's certificate"), signature.cms.scheme
    if key is None:
        return _untrusted("the certificate is for a key of a kind that is not supported")
    if scheme.family != _RSA:
        return _untrusted(f"the signature is by {scheme.label}, expected RSA PKCS #1 v1.5, which is what Windows accepts")
    if not signature.cms.is_by(key):
        return _untrusted("the signature is not by the key of its certificate")
    return Finding(facts=(Facts(key, scheme, signature.cms.signature, chain, signature.timestamps),))


def _mismatch(signature: Signature, image: Image) -> str:
    """Return how the file differs from what was signed; empty where it does not."""
    content = signature.content
    if not signature.cms.is_over(signature.signed.content or b""):
        return "the signature is over another digest than the one beside it"
    if image.digests[content.hash] != content.digest:
        return f"the signature is for a file with {content.hash} {content.digest.hex()}"
    if content.pages is not None and page_hashes(image.stream, image.pe, content.pages.hash) != content.pages.table:
        return "the hashes of the pages in the signature are not those of the file"
    return ""


def _untrusted(detail: str) -> Finding:
    return Finding(problem=Verdict.UNTRUSTED, detail=detail)
