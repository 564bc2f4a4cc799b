"""Timestamp tokens, read and checked but for whom to trust (RFC 3161 §2.4.2, RFC 5816)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.asn1 import core, malformed_asn1, parse_der, tsp
from hatch_sign.formats.certificates import certified_key
from hatch_sign.formats.cms.algorithms import read_digest_algorithm
from hatch_sign.formats.cms.parsing import parse_signed_data
from hatch_sign.formats.cms.signers import names_certificate, signer_chain
from hatch_sign.formats.rfc3161.reply import token_of
from hatch_sign.formats.rfc3161.structures import LARGEST
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.formats.cms.parsing import CmsSignature, SignedData

TST_INFO = "1.2.840.113549.1.9.16.1.4"
"""The content type of tokens."""

_SUBJECT = "the timestamp"
_VERSION = 1
_MOST_CERTIFICATES = 16
_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{1,9}))?Z")
_MICROSECONDS = 6


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A token whose own signature holds: somebody says that something with the digest `imprint` was there at `time`.

    Who that is, and whether anybody should believe it, is not judged. `time` is aware, in UTC, cut to microseconds;
    `accuracy` is how far off the authority says that it may be. `certificates` are the signer's and its issuers, as far
    as they came along. `token` is its DER, without the reply around it.
    """

    token: bytes
    time: datetime
    hash: str
    imprint: bytes
    nonce: int | None
    policy: str
    accuracy: timedelta | None
    certificates: tuple[Certificate, ...]

    def vouches_for(self, signature: bytes) -> bool:
        """Return whether the timestamp is over `signature`."""
        return hashlib.new(self.hash, signature).digest() == self.imprint


def parse_timestamp(data: bytes) -> Timestamp:
    """Read a token in DER, or the ``TimeStampResp`` around one, and check all of it that needs no trust.

    That is: the one signer's certificate is inside, its key made the signature, the signed attributes name the
    certificate and hold the digest of the content, and of the content nothing critical is unknown. Raises MalformedError.
    """
    token = token_of(data)
    signed = parse_signed_data(token, subject=_SUBJECT, longest=LARGEST)
    if signed.content_type != TST_INFO or signed.content is None:
        message = f"{_SUBJECT} is a signature of another kind of content than a time"
        raise MalformedError(message)
    if len(signed.signatures) != 1:
        message = f"{_SUBJECT} is signed {len(signed.signatures)} times, expected once"
        raise MalformedError(message)
    certificates = _checked_certificates(signed, signed.signatures[0], signed.content)
    info = parse_der(tsp.TSTInfo, signed.content, subject=_SUBJECT, longest=LARGEST)
    with malformed_asn1(_SUBJECT):
        return Timestamp(token=token, certificates=certificates, **_read_info(info))


def _checked_certificates(signed: SignedData, signature: CmsSignature, content: bytes) -> tuple[Certificate, ...]:
    """Return the signer's certificate and its issuers, once the signature and what it is over were found to be right."""
    if not signature.is_over(content):
        message = f"{_SUBJECT} was changed: its content has another digest than the signed one"
        raise MalformedError(message)
    if len(signed.certificates) > _MOST_CERTIFICATES:
        message = f"{_SUBJECT} holds {len(signed.certificates)} certificates, expected at most {_MOST_CERTIFICATES}"
        raise MalformedError(message)
    certificates = signer_chain(signed, signature, subject=_SUBJECT)
    if not certificates:
        message = f"{_SUBJECT} does not hold the certificate of its signer"
        raise MalformedError(message)
    if not names_certificate(signature):
        message = f"{_SUBJECT} has no signing-certificate among its signed attributes"
        raise MalformedError(message)
    key = certified_key(certificates[0], subject=f"the certificate in {_SUBJECT}")
    if key is None:
        message = f"the certificate in {_SUBJECT} is for a key of a kind that is not supported"
        raise MalformedError(message)
    if not signature.is_by(key):
        message = f"{_SUBJECT} was changed: its signature is not by the key of its certificate"
        raise MalformedError(message)
    return certificates


def _read_info(info: Any) -> dict[str, Any]:  # noqa: ANN401 - asn1crypto has no types
    """Return the fields of ``TSTInfo``; inside :func:`malformed_asn1`."""
    if int(info["version"]) != _VERSION:
        message = f"{_SUBJECT} is of version {int(info['version'])}, expected {_VERSION}"
        raise MalformedError(message)
    _refuse_critical(info["extensions"])
    hash_ = read_digest_algorithm(info["message_imprint"]["hash_algorithm"], subject=_SUBJECT)
    imprint = info["message_imprint"]["hashed_message"].native
    if len(imprint) != DIGEST_SIZES[hash_]:
        message = f"{_SUBJECT} is over {len(imprint)} bytes, expected the {DIGEST_SIZES[hash_]} of {hash_}"
        raise MalformedError(message)
    return {
        "time": _read_time(info["gen_time"].contents),
        "hash": hash_,
        "imprint": imprint,
        "nonce": info["nonce"].native,
        "policy": info["policy"].dotted,
        "accuracy": _read_accuracy(info["accuracy"]),
    }


def _refuse_critical(extensions: Any) -> None:  # noqa: ANN401 - as above
    if isinstance(extensions, core.Void):
        return
    for extension in extensions:
        if extension["critical"].native:
            message = f"{_SUBJECT} has the critical extension {display(extension['extn_id'].dotted)}, which is not known"
            raise MalformedError(message)


def _read_time(contents: bytes) -> datetime:
    """Return the instant. RFC 3161 wants no zeros at the end of a fraction; some authorities write them all the same."""
    match = _TIME.fullmatch(contents)
    if match is None:
        message = f"{_SUBJECT} is of the time {display(contents.decode('latin-1'))}, expected one in UTC, to the second"
        raise MalformedError(message)
    whole, fraction = match[1].decode(), (match[2] or b"0").decode()
    moment = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return moment.replace(microsecond=int(fraction[:_MICROSECONDS].ljust(_MICROSECONDS, "0")))


def _read_accuracy(value: Any) -> timedelta | None:  # noqa: ANN401 - as above
    if isinstance(value, core.Void):
        return None
    parts = {name: value[name].native or 0 for name in ("seconds", "millis", "micros")}
    return timedelta(seconds=parts["seconds"], milliseconds=parts["millis"], microseconds=parts["micros"])
