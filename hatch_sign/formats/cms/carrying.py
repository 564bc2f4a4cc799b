"""Which certificates a signature brings along."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from hatch_sign.formats.cms.signers import with_issuers
from hatch_sign.values.certificates import is_issued_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate


def without_roots(certificates: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return what a signature by the first of `certificates` carries: it and its issuers, but for those above all others.

    A root proves nothing: who trusts it has it. The order is the one in which a verifier finds them; empty for a bare key.
    """
    return _without_roots(tuple(certificates)) if certificates else ()


@lru_cache(maxsize=8)  # one for each key of a run, however many artifacts it signs
def _without_roots(certificates: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    leaf, *others = certificates
    chain = with_issuers(leaf, sorted(others, key=_encoded))  # in the order in which a SET in DER holds them
    return tuple(each for each in chain if each == leaf or not is_issued_by(each, each))


def _encoded(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - loaded with the certificate already

    return certificate.public_bytes(Encoding.DER)
