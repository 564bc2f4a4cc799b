"""The error of opening a key of SignServer and signing once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import HatchSignError
from hatch_sign_services.signserver import SignServerBackend

if TYPE_CHECKING:
    from .conftest import SignServerRig

DIGEST = hashlib.sha256(b"a wheel").digest()
SCHEME = Scheme.ECDSA_SHA256
PASSWORD = "open sesame"  # noqa: S105 - the tests' own


def failure(signserver: SignServerRig, reference: str | None = None, **environ: str) -> HatchSignError:
    """Return the error of opening the key and signing once."""
    with (
        pytest.raises(HatchSignError) as caught,
        open_signer(SignServerBackend(), reference or signserver.reference(), signserver.context(**environ)) as signer,
    ):
        signer.sign_digest(DIGEST, SCHEME)
    assert_presentable(caught.value, [PASSWORD])
    return caught.value


def alter(rig: SignServerRig, **changes: Any) -> None:  # noqa: ANN401 - whatever a worker has
    for name, value in changes.items():
        setattr(rig.worker, name, value)
