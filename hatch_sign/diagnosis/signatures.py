"""One signature, to see that the key makes them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from hatch_sign.diagnosis.checks import ok
from hatch_sign.values.errors import CredentialRotatedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.diagnosis.checks import Check

_MESSAGE_SIZE = 32


def try_signature(signer: CheckedSigner) -> Iterator[Check]:
    """Sign random bytes, which no artifact has, by the first scheme of the key; the signer verifies what comes back.

    Raises HatchSignError where that fails. A service that turns to its next certificate is asked once more.
    """
    try:
        found = _sign(signer)
    except CredentialRotatedError:
        found = _sign(signer)
    yield ok("signature", found)


def _sign(signer: CheckedSigner) -> str:
    scheme = signer.schemes[0]
    signer.sign(secrets.token_bytes(_MESSAGE_SIZE), scheme)
    return f"{scheme.label} over {_MESSAGE_SIZE} random bytes, made and verified"
