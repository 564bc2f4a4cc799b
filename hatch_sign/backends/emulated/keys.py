"""The keys of a token: making, listing and reading them, and their certificates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hatch_sign.backends.emulated.database import opened, transaction, translated
from hatch_sign.backends.emulated.labels import parse_emulated_reference
from hatch_sign.backends.emulated.login import binding, log_in, secret_request, typed
from hatch_sign.backends.emulated.tokens import token_path
from hatch_sign.backends.emulated.wrapping import Sealed, seal, unseal
from hatch_sign.contract.backends import KeyDescription
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign.values.public_keys import as_public_key, encode_public_key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.x509 import Certificate

    from hatch_sign.backends.emulated.labels import EmulatedReference
    from hatch_sign.backends.emulated.login import Session
    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.values.public_keys import PublicKey

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

PROTECTION = Protection(
    ProtectionLevel.SOFTWARE,
    "an encrypted file on this machine; not for production",
    {"token": "hatch-sign emulated token"},
)

_MOST_CERTIFICATES = 16
_ID_SIZE = 20
_CURVES: dict[KeyAlgorithm, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]] = {
    KeyAlgorithm.ECDSA_P256: ec.SECP256R1,
    KeyAlgorithm.ECDSA_P384: ec.SECP384R1,
    KeyAlgorithm.ECDSA_P521: ec.SECP521R1,
}
_RSA_SIZES = {KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}


@dataclass(frozen=True, slots=True, repr=False)
class StoredKey:
    """A key as its token holds it; the private half is encrypted."""

    label: str
    public_key: PublicKey
    encoded: bytes
    sealed: Sealed
    certificates: tuple[Certificate, ...]


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key in its token. Raises CustodyError when the label is taken, and as logging in does."""
    parsed = parse_emulated_reference(reference)
    if parsed.key is None:
        message = f"{parsed.text}: the reference does not say what the new key is to be called"
        raise ConfigurationError(message, remedy=f"write `{parsed.text}/signing`, for instance")
    path = token_path(parsed.token, context.environ)
    if parsed.key in _labels(path):
        raise _taken(parsed)
    session = log_in(path, secret_request(parsed.token, "user", pin_source=parsed.pin_source), context)
    stored = _seal_key(session, parsed.key, _make_key(algorithm))
    with opened(path) as connection, transaction(connection):
        row = (stored.label, stored.encoded, stored.sealed.nonce, stored.sealed.ciphertext)
        added = connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", row).rowcount
    if not added:
        raise _taken(parsed)
    return _describe(parsed.token, stored)


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the keys that `reference` selects, by label; a login is not needed.

    Raises KeyNotFoundError for a token or a named key that is not there.
    """
    parsed = parse_emulated_reference(reference)
    keys = read_keys(token_path(parsed.token, context.environ))
    chosen = keys if parsed.key is None else [select(parsed, keys)]
    return [_describe(parsed.token, key) for key in chosen]


def import_certificate(reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
    """Store `chain`, leaf first, in place of an older one. Raises as logging in does."""
    parsed = parse_emulated_reference(reference)
    path = token_path(parsed.token, context.environ)
    key = select(parsed, read_keys(path))
    if not 1 <= len(chain) <= _MOST_CERTIFICATES or chain[0].public_key() != key.public_key:
        message = f"{parsed.text}: a chain is at most {_MOST_CERTIFICATES} certificates, that of the key first"
        raise CustodyError(message)
    log_in(path, secret_request(parsed.token, "user", pin_source=parsed.pin_source), context)
    encoded = [each.public_bytes(serialization.Encoding.DER) for each in chain]
    with opened(path) as connection, transaction(connection):
        connection.execute("DELETE FROM certificates WHERE key = ?", (key.label,))
        rows = [(key.label, position, der) for position, der in enumerate(encoded)]
        connection.executemany("INSERT INTO certificates VALUES (?, ?, ?)", rows)


def read_keys(path: Path) -> list[StoredKey]:
    """Return every key of a token, by label. Raises CustodyError for a damaged file."""
    with opened(path) as connection:
        connection.execute("BEGIN")  # Keys and certificates as they were at one moment.
        rows = connection.execute("SELECT label, public_key, nonce, wrapped FROM keys ORDER BY label").fetchall()
        return [_read_key(row, connection) for row in rows]


def select(reference: EmulatedReference, keys: Sequence[StoredKey]) -> StoredKey:
    """Return the key that `reference` names, or the only one. Raises KeyNotFoundError, listing what is there."""
    chosen = [key for key in keys if reference.key in (None, key.label)]
    if len(chosen) == 1:
        return chosen[0]
    there = ", ".join(key.label for key in keys) or "none"
    found = "more than one key" if chosen else "no such key"
    named = f"emulated:{reference.token}/LABEL"
    remedy = f"name one: {named}" if chosen else f"make it: hatch-sign key generate {named}"
    message = f"{reference.text}: {found}; keys of this token: {there}"
    raise KeyNotFoundError(message, remedy=remedy)


def unseal_key(session: Session, key: StoredKey) -> PrivateKey:
    """Return the private half. Raises CustodyError for a row that was tampered with."""
    with translated(session.path):
        der = unseal(session.token_key, key.sealed, binding(session.state, key.label.encode(), key.encoded))
        # The tag has just shown that this module wrote it; proving the primes again would cost a quarter of a second.
        private = serialization.load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
        if isinstance(private, PrivateKey) and private.public_key() == key.public_key:
            return private
        message = "a private key that does not fit"
        raise ValueError(message)


def _labels(path: Path) -> frozenset[str]:
    return frozenset(key.label for key in read_keys(path))


def _make_key(algorithm: KeyAlgorithm) -> PrivateKey:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm]())
    if algorithm in _RSA_SIZES:
        return rsa.generate_private_key(65537, _RSA_SIZES[algorithm])
    return ed25519.Ed25519PrivateKey.generate()


def _seal_key(session: Session, label: str, private: PrivateKey) -> StoredKey:
    unencrypted = serialization.NoEncryption()  # It is encrypted here, bound to its row.
    der = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, unencrypted)
    public_key = private.public_key()
    encoded = encode_public_key(public_key)
    sealed = seal(session.token_key, der, binding(session.state, label.encode(), encoded))
    return StoredKey(label, public_key, encoded, sealed, ())


def _read_key(row: tuple[object, ...], connection: sqlite3.Connection) -> StoredKey:
    for value, kind in zip(row, (str, bytes, bytes, bytes), strict=True):
        typed(value, kind)
    label, encoded, nonce, wrapped = row
    public_key = _read_public_key(encoded)  # type: ignore[arg-type] # checked above
    query = "SELECT position, der FROM certificates WHERE key = ? ORDER BY position"
    certificates = _read_chain(connection.execute(query, (label,)).fetchall(), public_key)
    return StoredKey(label, public_key, encoded, Sealed(nonce, wrapped), certificates)  # type: ignore[arg-type] # as above


def _read_public_key(encoded: bytes) -> PublicKey:
    try:
        return as_public_key(serialization.load_der_public_key(encoded), subject="")
    except (UnsupportedAlgorithm, UnsupportedError):
        message = "a key that no token makes"
    raise ValueError(message)


def _read_chain(rows: Sequence[tuple[int, bytes]], public_key: PublicKey) -> tuple[Certificate, ...]:
    if [row[0] for row in rows] != list(range(len(rows))) or len(rows) > _MOST_CERTIFICATES:
        message = "positions of certificates"
        raise ValueError(message)
    if not rows:
        return ()
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - 20 ms, for keys with certificates only

    chain = tuple(load_der_x509_certificate(typed(der, bytes)) for _, der in rows)  # type: ignore[arg-type] # `typed` checks
    if chain[0].public_key() != public_key:
        message = "a certificate of another key"
        raise ValueError(message)
    return chain


def _describe(token: str, key: StoredKey) -> KeyDescription:
    return KeyDescription(
        reference=f"emulated:{token}/{key.label}",
        label=key.label,
        id=hashlib.sha256(key.encoded).digest()[:_ID_SIZE].hex(),
        public_key=key.public_key,
        protection=PROTECTION,
        certificates=key.certificates,
    )


def _taken(reference: EmulatedReference) -> CustodyError:
    message = f"{reference.text}: the token holds a key of this label already"
    return CustodyError(message, remedy="choose another label: a key is never replaced")
