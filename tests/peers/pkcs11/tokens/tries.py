"""What each token shows of wrong PINs: none has the same idea of it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from .real_token import TokenName

if TYPE_CHECKING:
    from .real_token import RealToken

_FLAGS = {"user PIN locked": 3, "final user PIN try": 2, "user PIN count low": 1}
"""As pkcs11-tool words CKF_USER_PIN_LOCKED, _FINAL_TRY and _COUNT_LOW; for openCryptoki, they count to three."""
_COUNTER = re.compile(r"TPM2_PT_LOCKOUT_COUNTER: (0x[0-9A-F]+)")


def wrong_tries(token: RealToken) -> int:
    """Return how many wrong PINs the token remembers.

    SoftHSM has one flag, for one or more since the last right one, and never locks. openCryptoki locks at the third, and a
    right one forgives all. A TPM counts to three for all its users, tells it to those who ask the TPM itself, not in the
    token's flags, and forgives one in a thousand seconds, right PIN or not.
    """
    if token.name is TokenName.TPM:
        asked = subprocess.run(
            ["tpm2_getcap", "properties-variable"], env=token.environment(), capture_output=True, text=True, check=True
        )
        found = _COUNTER.search(asked.stdout)
        assert found is not None, asked.stdout
        return int(found.group(1), 16)
    flags = token.pkcs11_tool("--list-slots").stdout
    return next((number for words, number in _FLAGS.items() if words in flags), 0)
