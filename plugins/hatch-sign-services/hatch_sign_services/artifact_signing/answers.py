"""Answers of Artifact Signing: the state of a signature, and chains in PKCS#7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7

from hatch_sign.formats.strict_json import as_object, decode_base64, field, parse_json
from hatch_sign.formats.strict_json import optional_field as optional
from hatch_sign.values.errors import MalformedError
from hatch_sign_services.chains import leaf_first
from hatch_sign_services.client import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

PENDING = frozenset({"inprogress", "running", "notstarted"})


@dataclass(frozen=True, slots=True)
class Signed:
    """A finished signature, and the chain of the certificate that it was made with, leaf first."""

    signature: bytes
    chain: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """The state of a signature that was asked for; `signed` once it is there. `status` is in lower case."""

    id: str
    status: str
    signed: Signed | None = None


def parse_operation(body: bytes) -> Operation:
    """Return the state in an answer, flat or, as newer versions of the interface have it, nested. Raises MalformedError."""
    answer = as_object(parse_json(body, subject="the answer"), at="the answer")
    status = field(answer, "status", str, at="the answer").lower()
    identifier = optional(answer, "operationId", str, "", at="the answer") or optional(
        answer, "id", str, "", at="the answer"
    )
    if status != "succeeded":
        return Operation(identifier, status)
    result = as_object(optional(answer, "result", dict, answer, at="the answer"), at="the result")
    return Operation(identifier, status, _parse_signed(result))


def parse_chain(der: bytes) -> tuple[x509.Certificate, ...]:
    """Return the chain in a PKCS#7 SignedData (RFC 2315 §9.1), leaf first. Raises MalformedError."""
    try:
        certificates = pkcs7.load_der_pkcs7_certificates(der)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        message = "the certificates are not PKCS#7"
        raise MalformedError(message) from None
    return leaf_first(certificates, subject="the answer")


def _parse_signed(result: Mapping[str, Any]) -> Signed:
    signature = decode_base64(field(result, "signature", str, at="the result"), at="signature", longest=LARGEST)
    outer = decode_base64(
        field(result, "signingCertificate", str, at="the result"), at="signingCertificate", longest=LARGEST
    )
    # Base64 within base64: what is inside has the line breaks of MIME.
    inner = decode_base64(_without_breaks(outer), at="signingCertificate", longest=LARGEST)
    return Signed(signature, parse_chain(inner))


def _without_breaks(text: bytes) -> str:
    return text.translate(None, b"\r\n").decode("ascii", "replace")
