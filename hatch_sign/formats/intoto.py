"""in-toto statements: a signed claim that names artifacts by their digests (in-toto attestation framework v1)."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.formats.strict_json import as_list, as_object, encode_json_text, field, parse_json
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""The type of a DSSE payload that is a statement."""
ARTIFACT_CLAIM = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type of a plain signature over one artifact, as cosign makes them; its predicate is empty."""
RELEASE_CLAIM = "https://in-toto.io/attestation/release/v0.1"
"""The predicate type of a plain signature over all artifacts of a release, which its predicate names by its purl."""
MAX_SUBJECTS = 1024
"""Artifacts in one statement: other verifiers stop here too."""

APPROVING_CLAIMS = frozenset(
    {
        ARTIFACT_CLAIM,
        RELEASE_CLAIM,
        "https://docs.pypi.org/attestations/publish/v1",
        "https://slsa.dev/provenance/v0.2",
        "https://slsa.dev/provenance/v1",
    },
)
"""Predicate types by which a signer stands behind an artifact. Others may well say that a test of it failed."""

_STATEMENT_V1 = "https://in-toto.io/Statement/v1"
_STATEMENT_TYPES = frozenset({_STATEMENT_V1, "https://in-toto.io/Statement/v0.1"})
_MEMBERS = frozenset({"_type", "subject", "predicateType", "predicate"})
_SUBJECT_MEMBERS = frozenset({"name", "digest", "uri", "content", "downloadLocation", "mediaType", "annotations"})
_MAX_DIGESTS = 16


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim about artifacts: `subjects` maps each name to its digests, by hash name; only hashes of the table."""

    subjects: Mapping[str, Mapping[str, bytes]]
    predicate_type: str
    predicate: Mapping[str, Any]


def encode_statement(statement: Statement) -> bytes:
    """Return the statement as compact JSON, in version 1, subjects sorted by name.

    Raises UnsupportedError for a name that is not Unicode.
    """
    for name in statement.subjects:
        if not name.isprintable() and any("\ud800" <= character <= "\udfff" for character in name):
            message = f"{display(name)} cannot be named in a statement, because it is not Unicode"
            raise UnsupportedError(message, remedy="rename it")
    subjects = [
        {"name": name, "digest": {hash_: digest.hex() for hash_, digest in sorted(digests.items())}}
        for name, digests in sorted(statement.subjects.items())
    ]
    return encode_json_text(
        {
            "_type": _STATEMENT_V1,
            "subject": subjects,
            "predicateType": statement.predicate_type,
            "predicate": statement.predicate,
        },
    )


def parse_statement(payload: bytes, *, subject: str = "the statement") -> Statement:
    """Read a statement of version 1 or 0.1 over 1 to :data:`MAX_SUBJECTS` artifacts of different names.

    Raises MalformedError, also for an artifact that is named by no hash of the table.
    """
    table = as_object(parse_json(payload, subject=subject), at=subject, allowed=_MEMBERS)
    if field(table, "_type", str, at=subject) not in _STATEMENT_TYPES:
        message = f"{subject} is of the unknown type {display(table['_type'])}"
        raise MalformedError(message)
    items = as_list(table.get("subject"), at=f"{subject}'s subject", longest=MAX_SUBJECTS)
    return Statement(
        subjects=_unique(_parse_subject(item, f"{subject}'s subject[{index}]") for index, item in enumerate(items)),
        predicate_type=field(table, "predicateType", str, at=subject),
        predicate=as_object(table.get("predicate", {}), at=f"{subject}'s predicate"),
    )


def _parse_subject(value: object, at: str) -> tuple[str, Mapping[str, bytes]]:
    table = as_object(value, at=at, allowed=_SUBJECT_MEMBERS)
    digests = field(table, "digest", dict, at=at)
    if len(digests) > _MAX_DIGESTS:
        message = f"{at} has {len(digests)} digests, expected at most {_MAX_DIGESTS}"
        raise MalformedError(message)
    known = {hash_: _parse_digest(digests[hash_], hash_, at) for hash_ in DIGEST_SIZES if hash_ in digests}
    if not known:
        message = f"{at} has no digest by {', '.join(DIGEST_SIZES)}"
        raise MalformedError(message)
    return field(table, "name", str, at=at), known


def _parse_digest(text: object, hash_: str, at: str) -> bytes:
    """Read lower-case hexadecimal, the only spelling that the framework's DigestSet allows."""
    try:
        digest = binascii.unhexlify(text) if isinstance(text, str) else b""
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_SIZES[hash_] or digest.hex() != text:
        message = f"{at}.digest.{hash_} is not {DIGEST_SIZES[hash_]} bytes in lower-case hexadecimal"
        raise MalformedError(message)
    return digest


def _unique(pairs: Iterable[tuple[str, Mapping[str, bytes]]]) -> Mapping[str, Mapping[str, bytes]]:
    subjects: dict[str, Mapping[str, bytes]] = {}
    for name, digests in pairs:
        if name in subjects:
            message = f"the statement names {display(name)} twice"
            raise MalformedError(message)
        subjects[name] = digests
    if not subjects:
        message = "the statement names no artifact"
        raise MalformedError(message)
    return subjects
