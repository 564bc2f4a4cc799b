"""Real PKCS#11 tokens, each started for a test and gone after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .real_token import RealToken, TokenName, require_token

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["RealToken", "TokenName", "require_token", "start_token"]


def start_token(name: TokenName) -> AbstractContextManager[RealToken]:
    """Return what starts a fresh token when it is entered, and leaves neither a process nor a file behind."""
    from . import opencryptoki, remoting, softhsm, tpm  # noqa: PLC0415 - they import this package

    rigs = {
        TokenName.SOFTHSM: softhsm.softhsm_token,
        TokenName.REMOTE: remoting.remote_token,
        TokenName.OPENCRYPTOKI: opencryptoki.opencryptoki_token,
        TokenName.TPM: tpm.tpm_token,
    }
    return rigs[name]()
