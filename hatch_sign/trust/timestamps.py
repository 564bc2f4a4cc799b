"""Which timestamps are to be believed (RFC 3161)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.formats.rfc3161.purpose import problem_of_purpose
from hatch_sign.trust.chains import check_chain
from hatch_sign.trust.strength import SMALLEST_SETTING, weakness
from hatch_sign.values.display import display
from hatch_sign.values.public_keys import as_public_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.formats.rfc3161 import Timestamp

TOLERANCE = timedelta(minutes=5)
"""How far the clock of an authority may be ahead of ours."""


def check_timestamp(timestamp: Timestamp, *, roots: Sequence[Certificate], at: datetime) -> str:
    """Return why a timestamp is not to be believed at the instant `at`, which is aware; empty where it is. Never raises.

    Its certificate must be for timestamping, and critically for nothing else (RFC 3161 §2.3), and lead to one of `roots`
    at the timestamp's own time. What has ended since does not matter: a root that is still configured is still believed,
    and that is what makes a timestamp outlive its authority's certificates. A time more than five minutes after `at` is
    none yet. The accuracy that an authority claims is not reckoned with: the time itself is what it vouches for.
    """
    if timestamp.time - at > TOLERANCE:
        return f"the timestamp is of {_instant(timestamp.time)}, which is yet to come"
    if problem := problem_of_purpose(timestamp.certificates[0]) or _weakness(timestamp.certificates[0]):
        return f"the timestamp is by no timestamp authority: {problem}"
    if not roots:
        return "the timestamp is by no configured authority: no `timestamp-roots` are configured"
    chain = check_chain(
        timestamp.certificates, roots=roots, intermediates=(), usage=ExtendedKeyUsageOID.TIME_STAMPING, at=timestamp.time
    )
    if chain.problem:
        return f"the timestamp is by no configured authority: {display(chain.problem)}"
    return ""


def _weakness(certificate: Certificate) -> str:
    return weakness(as_public_key(certificate.public_key(), subject="its certificate"), SMALLEST_SETTING)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
