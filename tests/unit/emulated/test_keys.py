from __future__ import annotations

import copy
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.backends.emulated.signer import MAX_MESSAGE
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.protection import ProtectionLevel

from .conftest import PIN, Token


def test_keys_are_listed_without_a_login(token: Token) -> None:
    found = token.backend.list_keys("emulated:release", token.context(pin=None))
    assert [key.reference for key in found] == ["emulated:release/ed", "emulated:release/one", "emulated:release/two"]
    assert {key.protection.level for key in found} == {ProtectionLevel.SOFTWARE}
    assert len({key.id for key in found}) == 3
    (one,) = token.backend.list_keys("emulated:release/one", token.context(pin=None))
    assert one == found[1]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("emulated:release", "more than one key; keys of this token: ed, one, two.*name one"),
        ("emulated:release/three", "no such key; keys of this token: ed, one, two.*hatch-sign key generate"),
        ("emulated:other/one", "no such token.*tokens: release.*hatch-sign token init other"),
        ("emulated:RELEASE/one", "no such token.*tokens: release"),
    ],
)
def test_a_reference_that_selects_no_one_key_says_what_is_there(token: Token, reference: str, reason: str) -> None:
    with pytest.raises(KeyNotFoundError, match=reason), token.backend.open(reference, token.context()):
        pass
    assert token.tries == (3, 10)


@pytest.mark.parametrize(
    "reference", ["emulated:", "emulated:a/", "emulated:../x", "emulated:a/b/c", "emulated:.x", "emulated:NUL", "pkcs11:a"]
)
def test_a_reference_that_is_none_is_refused_at_once(token: Token, reference: str) -> None:
    with pytest.raises(ConfigurationError):
        token.backend.open(reference, token.context())


def test_a_key_needs_a_label_and_keeps_it(token: Token) -> None:
    with pytest.raises(ConfigurationError, match="emulated:release/signing"):
        token.backend.generate_key("emulated:release", KeyAlgorithm.ED25519, token.context())
    with pytest.raises(CustodyError, match="holds a key of this label already"):
        token.backend.generate_key("emulated:release/one", KeyAlgorithm.ED25519, token.context(pin=None))


def test_the_software_key_is_warned_of_once(token: Token) -> None:
    context = token.context()
    for _ in range(2):
        with token.backend.open("emulated:release/one", context):
            pass
    assert token.warnings == ["emulated:release/one: the key is kept in software, which is not for production"]


def test_messages_end_at_a_mebibyte(token: Token) -> None:
    with token.backend.open("emulated:release/ed", token.context()) as signer:
        assert signer.max_message == MAX_MESSAGE == 1024 * 1024
        assert signer.sign_message(bytes(MAX_MESSAGE))
        with pytest.raises(UnsupportedError, match="1048577 were given"):
            signer.sign_message(bytes(MAX_MESSAGE + 1))


def test_a_handle_is_not_copied_and_ends_with_its_session(token: Token) -> None:
    with token.backend.open("emulated:release/one", token.context()) as signer:
        for duplicate in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(UnsupportedError, match="cannot be copied"):
                duplicate(signer)
        with pytest.raises(UnsupportedError, match="20 were given"):
            signer.sign_digest(bytes(20), Scheme.ECDSA_SHA256)
    with pytest.raises(CustodyError, match="was closed"):
        signer.sign_digest(bytes(32), Scheme.ECDSA_SHA256)


def test_signing_needs_no_file(token: Token) -> None:
    with open_signer(token.backend, "emulated:release/one", token.context()) as signer:
        token.path.unlink()
        assert signer.sign(b"x", Scheme.ECDSA_SHA256)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_child_does_not_log_its_parent_out(token: Token) -> None:
    script = """
import os, sys
from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import Scheme

context = RunContext(os.environ, on_warning=lambda _: None)
child = -1
with open_signer(EmulatedBackend(), "emulated:release/one", context) as signer:
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert signer.sign(b"x", Scheme.ECDSA_SHA256)
if child:
    print("the parent signed")
"""
    answer = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **token.environ()}, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, "the parent signed\n"), answer.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_a_token_that_others_may_read_is_warned_of(token: Token) -> None:
    token.path.chmod(0o644)
    with token.backend.open("emulated:release/one", token.context()):
        pass
    assert any("chmod 600" in warning for warning in token.warnings)
    assert stat.S_IMODE((token.path.parent / ".login.lock").stat().st_mode) == 0o600
    assert PIN not in "".join(token.warnings)


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name.from_rfc4514_string("CN=foreign")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return x509.CertificateBuilder(name, name, key.public_key(), 1, day, day.replace(year=2030)).sign(key, hashes.SHA256())


@pytest.mark.parametrize("count", [0, 1, 17])
def test_a_chain_that_is_not_of_the_key_is_not_stored(token: Token, count: int) -> None:
    chain = [_certificate(ec.generate_private_key(ec.SECP256R1()))] * count
    with pytest.raises(CustodyError, match="at most 16 certificates, that of the key first"):
        token.backend.import_certificate("emulated:release/one", chain, token.context(pin=None))


def test_a_certificate_of_another_key_is_damage(token: Token) -> None:
    der = _certificate(ec.generate_private_key(ec.SECP256R1())).public_bytes(serialization.Encoding.DER)
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO certificates VALUES ('one', 0, ?)", (der,))
    with pytest.raises(CustodyError, match=r"release\.token: it is damaged"):
        token.backend.list_keys("emulated:release", token.context())


def test_a_key_outside_the_table_is_damage(token: Token) -> None:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    encoded = ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(serialization.Encoding.DER, form)
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute("UPDATE keys SET public_key = ? WHERE label = 'one'", (encoded,))
    with pytest.raises(CustodyError, match=r"release\.token: it is damaged"):
        token.backend.list_keys("emulated:release", token.context())


def test_listing_takes_no_lock_that_keeps_others_out(token: Token) -> None:
    with closing(sqlite3.connect(token.path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert len(token.backend.list_keys("emulated:release", token.context())) == 3
