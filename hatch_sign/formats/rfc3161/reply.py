"""What a timestamp authority answers: a token, or why there is none (RFC 3161 §2.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hatch_sign.formats.asn1 import core, der_contents, malformed_asn1, parse_der, require_der, require_known_fields
from hatch_sign.formats.rfc3161.structures import LARGEST, TimeStampResp
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

_SUBJECT = "the timestamp authority's reply"
_OBJECT_IDENTIFIER = 0x06
_GRANTED = (0, 1)
_STATUSES = {
    0: "granted",
    1: "granted with modifications",
    2: "rejection",
    3: "waiting",
    4: "revocation warning",
    5: "revocation notification",
}
_FAILURES = {
    0: "unrecognised or unsupported algorithm",
    2: "transaction not permitted or supported",
    5: "data in a wrong format",
    14: "its time source is not available",
    15: "unaccepted policy",
    16: "unaccepted extension",
    17: "additional information is not available",
    25: "system failure",
}
_MOST_TEXTS = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as parsed: `token` (DER) where one was granted, else `failure`, on one line that is safe to show.

    `status` is the number of PKIStatus.
    """

    status: int
    failure: str = ""
    token: bytes | None = None


def parse_reply(data: bytes) -> Reply:
    """Read a ``TimeStampResp`` in DER. Raises MalformedError; nothing of the token is looked at."""
    response = parse_der(TimeStampResp, data, subject=_SUBJECT, longest=LARGEST)
    with malformed_asn1(_SUBJECT):
        require_known_fields(response)
        status = int(response["status"]["status"])
        token = None if isinstance(response["time_stamp_token"], core.Void) else response["time_stamp_token"].dump()
        failure = "" if status in _GRANTED else _describe(response["status"], status)
    if (token is not None) != (status in _GRANTED):
        found = "holds no token" if token is None else "holds a token"
        message = f"{_SUBJECT} {found}, and its status is: {_name(status)}"
        raise MalformedError(message)
    return Reply(status, failure, token)


def token_of(data: bytes) -> bytes:
    """Return the DER of the token in `data`, which is one, or the ``TimeStampResp`` around one.

    Raises MalformedError for anything else, and for a reply that grants no token.
    """
    require_der(data, subject="the timestamp", longest=LARGEST)
    with malformed_asn1("the timestamp"):
        if der_contents(data)[0] == _OBJECT_IDENTIFIER:
            return data
    reply = parse_reply(data)
    if reply.token is None:
        message = f"the timestamp authority granted no timestamp: {reply.failure}"
        raise MalformedError(message)
    return reply.token


def _describe(info: Any, status: int) -> str:  # noqa: ANN401 - asn1crypto has no types
    reasons = [_FAILURES.get(bit, f"failure {bit}") for bit in _bits(info["fail_info"])]
    texts = [] if isinstance(info["status_string"], core.Void) else list(info["status_string"])[:_MOST_TEXTS]
    parts = [*reasons, *(text.native for text in texts)]
    return display(": ".join(filter(None, [_name(status), ", ".join(parts)])))


def _name(status: int) -> str:
    return _STATUSES.get(status, f"status {status}")


def _bits(value: Any) -> list[int]:  # noqa: ANN401 - as above
    """Return the numbers of the bits that are set, the first bit 0."""
    if isinstance(value, core.Void):
        return []
    unused, octets = value.contents[0], value.contents[1:]
    bits = "".join(f"{octet:08b}" for octet in octets)
    return [number for number, bit in enumerate(bits[: len(bits) - unused]) if bit == "1"][:_MOST_TEXTS]
