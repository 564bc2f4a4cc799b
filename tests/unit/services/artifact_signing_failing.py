"""The error of opening a key of Artifact Signing and signing once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import HatchSignError
from hatch_sign_services.artifact_signing import ArtifactSigningBackend

from .fake_artifact_signing import TOKEN

if TYPE_CHECKING:
    from .conftest import ArtifactSigningRig

DIGEST = hashlib.sha256(b"a wheel").digest()
SCHEME = Scheme.RSA_PKCS1_SHA256


def failure(rig: ArtifactSigningRig, reference: str | None = None, **environ: str) -> HatchSignError:
    """Return the error of opening the key and signing once."""
    with (
        pytest.raises(HatchSignError) as caught,
        open_signer(ArtifactSigningBackend(), reference or rig.reference, rig.context(**environ)) as signer,
    ):
        signer.sign_digest(DIGEST, SCHEME)
    assert_presentable(caught.value, [TOKEN])
    return caught.value
