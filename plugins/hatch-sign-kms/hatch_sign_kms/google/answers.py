"""What the service answers, checked before it is believed: the name, the checksums, the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import parse_public_key_pem
from hatch_sign_kms.google.checksum import crc32c

if TYPE_CHECKING:
    from google.cloud.kms_v1 import AsymmetricSignResponse
    from google.cloud.kms_v1 import PublicKey as PublicKeyAnswer

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.public_keys import PublicKey

_CORRUPTED = "was corrupted on the way: its checksum does not match"


def read_public_key(answer: PublicKeyAnswer, version: str, caller: ServiceCaller) -> PublicKey:
    """Return the public key of `version`. Raises CustodyError for an answer about another, or a damaged one."""
    _require_name(answer.name, version, caller)
    pem = answer.pem.encode()
    _require_checksum(pem, answer.pem_crc32c, "public key", caller)
    return parse_public_key_pem(pem, caller)


def check_signature(answer: AsymmetricSignResponse, version: str, caller: ServiceCaller, *, verified: bool) -> bytes:
    """Return the signature that `version` made; `verified` says whether the service checked the request's checksum.

    Raises CustodyError for an answer of another version, or a damaged one.
    """
    _require_name(answer.name, version, caller)
    if not verified:
        caller.reject_answer("did not check that it received what was sent")
    _require_checksum(answer.signature, answer.signature_crc32c, "signature", caller)
    return answer.signature


def name_of(value: object) -> str:
    """Return the name of a member of an enumeration; its number, where the service is newer than the SDK."""
    return str(getattr(value, "name", value))


def _require_name(name: str, version: str, caller: ServiceCaller) -> None:
    if name != version:
        caller.reject_answer("answered for another key than it was asked for")


def _require_checksum(data: bytes, checksum: object, what: str, caller: ServiceCaller) -> None:
    if checksum != crc32c(data):
        caller.reject_answer(f"sent a {what} that {_CORRUPTED}")
