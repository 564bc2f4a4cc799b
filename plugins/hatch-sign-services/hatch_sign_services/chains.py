"""Chains of certificates, as files and services hold them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from hatch_sign.values.certificates import names_issuer
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_FILE = 1 << 20
"""Bytes in a file of certificates or of a key."""


def leaf_first(certificates: Sequence[x509.Certificate], *, subject: str) -> tuple[x509.Certificate, ...]:
    """Return `certificates` from the one that issued none of the others to its last issuer.

    Names are compared and no signatures: whoever verifies does that. Raises MalformedError, naming `subject`, unless they
    are one chain.
    """
    distinct = tuple(dict.fromkeys(certificates))
    leaves = [each for each in distinct if not any(names_issuer(other, each) for other in distinct if other != each)]
    chain = leaves[:1]
    while chain and (issuer := _issuer(chain[-1], distinct)) is not None and issuer not in chain:
        chain.append(issuer)
    if len(leaves) != 1 or len(chain) != len(distinct):
        message = f"{subject}: {len(distinct)} certificates that are not one chain"
        raise MalformedError(message)
    return tuple(chain)


def read_pem_file(path: str) -> bytes:
    """Return what the file holds. Raises ConfigurationError for one that cannot be read, or is too large to be meant."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        message = f"{display(path)} cannot be read: {getattr(error, 'strerror', None) or 'not a path'}"
        raise ConfigurationError(message) from None
    if len(content) <= LARGEST_FILE:
        return content
    message = f"{display(path)} has more than {LARGEST_FILE} bytes, expected a PEM file"
    raise ConfigurationError(message)


def read_chain(path: str) -> tuple[x509.Certificate, ...]:
    """Return the chain in a PEM file, leaf first in whatever order the file has it. Raises ConfigurationError."""
    try:
        return leaf_first(x509.load_pem_x509_certificates(read_pem_file(path)), subject=display(path))
    except MalformedError as error:
        message = error.message
    except (ValueError, x509.InvalidVersion):
        message = f"{display(path)}: not certificates in PEM"
    raise ConfigurationError(message, remedy="put the certificate of the key and its issuers there")


def _issuer(certificate: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    return next((other for other in among if names_issuer(certificate, other) and other != certificate), None)
