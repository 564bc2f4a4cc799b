"""What the signatures in a PE file say, for people to read; whom to trust is not judged here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from hatch_sign.formats.asn1 import core, malformed_asn1, parse_der
from hatch_sign.formats.cms.parsing import single_value
from hatch_sign.formats.cms.signers import signer_chain
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.values.certificates import describe_issuer, describe_subject
from hatch_sign.values.errors import MalformedError
from hatch_sign_authenticode.checking import check_signatures
from hatch_sign_authenticode.pe import parse_pe, read_signatures
from hatch_sign_authenticode.signatures import Signature, parse_signatures
from hatch_sign_authenticode.structures import OPUS_INFO, SpcSpOpusInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.x509 import Certificate

_SUBJECT = "the signature"
_LONGEST_TEXT = 1 << 16
_HOLDS = "over this file, and by the key of its certificate"


@dataclass(frozen=True, slots=True)
class Description:
    """One signature: `holds` says whether it is over the file, `lines` are what it says, by their headings."""

    holds: bool
    lines: tuple[tuple[str, str], ...]


def describe_file(stream: BinaryIO) -> tuple[Description, ...]:
    """Return what each signature says, those that are nested in another behind it.

    The texts are as hostile as the file. Raises MalformedError, and UnsupportedError for a file that has no place for a
    signature.
    """
    pe = parse_pe(stream)
    described = []
    for signature in parse_signatures(read_signatures(stream, pe)):
        finding = check_signatures([signature], stream, pe)
        verdict = _HOLDS if finding.problem is None else f"{finding.problem.value}: {finding.detail}"
        lines = (("signature", verdict), *(_lines(signature) if isinstance(signature, Signature) else ()))
        described.append(Description(finding.problem is None, lines))
    return tuple(described)


def _lines(signature: Signature) -> Iterator[tuple[str, str]]:
    content = signature.content
    yield "digest", f"{content.hash} {content.digest.hex()}"
    if content.pages is not None:
        yield "page hashes", content.pages.hash
    chain = signer_chain(signature.signed, signature.cms, subject=_SUBJECT)
    yield from _certificate(chain[0]) if chain else ()
    yield "scheme", signature.cms.scheme.label
    yield from _opus_info(signature)
    for token in signature.timestamps:
        yield "timestamp", _timestamp(token, signature)


def _certificate(leaf: Certificate) -> Iterator[tuple[str, str]]:
    yield "signer", describe_subject(leaf)
    yield "issuer", describe_issuer(leaf)
    yield "serial", f"{leaf.serial_number:x}"
    yield "valid", f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"


def _opus_info(signature: Signature) -> Iterator[tuple[str, str]]:
    encoded = single_value(signature.cms.attributes, OPUS_INFO, subject=_SUBJECT)
    if encoded is None:
        return
    info = parse_der(SpcSpOpusInfo, encoded, subject=_SUBJECT, longest=_LONGEST_TEXT)
    with malformed_asn1(_SUBJECT):
        texts = [("description", info["program_name"]), ("more at", info["more_info"])]
        found = [(heading, _text(value)) for heading, value in texts if not isinstance(value, core.Void)]
    yield from found


def _text(value: Any) -> str:  # noqa: ANN401 - asn1crypto has no types
    """Return the text in a choice, which may hold another. Some signers write UTF-8 where ASCII should be."""
    while isinstance(value, core.Choice):
        value = value.chosen
    encoding = "utf-16-be" if isinstance(value, core.BMPString) else "utf-8"
    return str(value.contents.decode(encoding, "replace"))


def _timestamp(token: bytes, signature: Signature) -> str:
    try:
        timestamp = parse_timestamp(token)
    except MalformedError as error:
        return f"malformed: {error.message}"
    if not timestamp.vouches_for(signature.cms.signature):
        return "over another signature"
    return f"{timestamp.time:%Y-%m-%d %H:%M:%S} UTC by {describe_subject(timestamp.certificates[0])}"
