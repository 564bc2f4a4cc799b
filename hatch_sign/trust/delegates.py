"""Who may speak for an issuer of certificates, because it, or who is above it, certified another key for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.trust.strength import weakness
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.certificates import is_issued_by
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import as_public_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

_SMALLEST_RSA_BITS = 2048
"""As cryptography asks of the keys in a chain."""


def is_certified(certificate: x509.Certificate, issuers: Sequence[x509.Certificate], at: datetime) -> bool:
    """Return whether one of `issuers` itself certified the key, which is as strong as theirs, for the instant `at`.

    What it is certified for is asked elsewhere. Raises what is in late_errors.
    """
    hash_ = certificate.signature_hash_algorithm
    try:
        key = as_public_key(certificate.public_key(), subject="the delegate")
    except UnsupportedError:
        return False
    return (
        not weakness(key, _SMALLEST_RSA_BITS)
        and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        and (hash_ is None or hash_.name in DIGEST_SIZES)  # Ed25519 has none
        and any(is_issued_by(certificate, issuer) for issuer in issuers)
    )
