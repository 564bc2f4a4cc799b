"""Keys that are made, and public halves and mechanisms that are not believed or not there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import (
    CustodyError,
    UnsupportedError,
    WrongSignatureError,
)
from hatch_sign_pkcs11 import Pkcs11Backend

from ..tokens.real_token import LABEL
from .signing import (
    DIGEST,
    RAW_ECDSA,
    RAW_PSS,
    RAW_RSA,
    RSA,
    context,
    refused,
    sign,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ..interposer import Interposer


def test_no_weaker_key_is_made_after_a_failure_that_may_pass(token: Interposer) -> None:
    token.set(fail="C_GenerateKeyPair:1:1:30")
    with pytest.raises(CustodyError, match="the token failed"):
        Pkcs11Backend().generate_key(token.reference("weaker"), KeyAlgorithm.ECDSA_P256, context())
    assert token.calls()["C_GenerateKeyPair"] == 1


def test_no_key_is_made_under_an_id_that_is_taken(token: Interposer) -> None:
    first = token.reference("first").replace("?", ";id=%42?")
    Pkcs11Backend().generate_key(first, KeyAlgorithm.ECDSA_P256, context())
    with pytest.raises(CustodyError, match="of that id"):
        Pkcs11Backend().generate_key(first.replace("first", "second"), KeyAlgorithm.ECDSA_P256, context())


def test_a_public_key_that_somebody_put_there_is_not_exported(token: Interposer, tmp_path: Path) -> None:
    """SoftHSM lets anybody write public objects: the one of the key is taken away, and another put in its place."""
    Pkcs11Backend().generate_key(token.reference("swapped"), KeyAlgorithm.ECDSA_P256, context())
    words = [
        sys.executable,
        "-m",
        "hatch_sign",
        "key",
        "export-public",
        token.reference("swapped"),
        "-o",
        str(tmp_path / "key"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    swap_public_key("swapped")
    words[-1] = str(tmp_path / "swapped")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 3
    assert "is not a signature by this key" in done.stderr
    assert not (tmp_path / "swapped").exists()


def swap_public_key(label: str) -> None:
    """Put a public key in the place of that of `label`, without a PIN."""
    library = pkcs11.lib(os.environ["INTERPOSER_MODULE"])
    library.reinitialize()
    attributes = pkcs11.Attribute
    with library.get_token(token_label=LABEL).open(rw=True) as session:
        (public,) = session.get_objects({attributes.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, attributes.LABEL: label})
        key_id = public[attributes.ID]
        public.destroy()
        numbers = (
            private_key(KeyAlgorithm.ECDSA_P256, 5).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )
        session.create_object(
            {
                attributes.CLASS: pkcs11.ObjectClass.PUBLIC_KEY,
                attributes.KEY_TYPE: pkcs11.KeyType.EC,
                attributes.TOKEN: True,
                attributes.PRIVATE: False,
                attributes.ID: key_id,
                attributes.LABEL: label,
                attributes.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1"),
                attributes.EC_POINT: b"\x04\x41" + numbers,
            }
        )
    library.finalize()


def test_a_token_that_hashes_itself_signs_messages_and_says_so(token: Interposer) -> None:
    token.set(without=f"{RAW_RSA:x},{RAW_PSS:x}")
    with open_signer(Pkcs11Backend(), token.reference("rsa-3072"), context()) as signer:
        assert not signer.takes_digests(RSA)
        for scheme in KeyAlgorithm.RSA_3072.schemes:
            assert signer.sign(b"a small message", scheme)
        with pytest.raises(UnsupportedError, match="hashes what it signs"):
            signer.sign_digest(DIGEST, RSA)


def test_a_token_without_a_mechanism_for_the_key_names_those_that_it_has(token: Interposer) -> None:
    token.set(without=",".join(f"{number:x}" for number in (RAW_ECDSA, 0x1042, 0x1043, 0x1044, 0x1045, 0x1046)))
    error = refused(token)
    assert isinstance(error, UnsupportedError)
    assert "no mechanism to sign with its ecdsa-p256 key; it offers: " in error.message
    assert "CKM_RSA_PKCS" in error.message
    assert token.calls()["C_SignInit"] == 0


def test_a_signature_that_is_none_is_not_handed_on(token: Interposer) -> None:
    token.set(spoil="1")
    with pytest.raises(WrongSignatureError):
        sign(token)
