"""Making and listing transit keys, and keeping their certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign_kms.vault.connection import connect
from hatch_sign_kms.vault.key import VaultKey
from hatch_sign_kms.vault.reference import is_name, parse_vault_reference, require_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.vault.connection import Connection
    from hatch_sign_kms.vault.reference import VaultReference

_KEY_TYPES = {algorithm: algorithm.value for algorithm in KeyAlgorithm}
"""A transit engine calls its kinds of key as we do."""


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key that can neither be exported nor backed up in clear. Raises ConfigurationError, CustodyError."""
    parsed = parse_vault_reference(reference)
    name = require_name(parsed)
    if parsed.version is not None:
        message = f"{parsed.text}: a new key begins with version 1"
        raise ConfigurationError(message, remedy="leave the version out")
    with connect(parsed, context) as connection:
        _refuse_taken(connection, parsed, name)
        request = {"type": _KEY_TYPES[algorithm], "exportable": False, "allow_plaintext_backup": False}
        connection.transit("post", f"keys/{name}", request, capability="create", repeatable=False)
        return _describe(connection, parsed, name)


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the key that `reference` names, or every signing key of the mount, by name.

    Raises KeyNotFoundError for a key that is not there, CustodyError.
    """
    parsed = parse_vault_reference(reference)
    with connect(parsed, context) as connection:
        if parsed.name is not None:
            return [_describe(connection, parsed, parsed.name)]
        found = [_describe_if_signing(connection, parsed, name) for name in _names(connection)]
        return [each for each in found if each is not None]


def import_certificate(reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
    """Store `chain` with the version that `reference` selects, in place of an older one. Raises CustodyError."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - for certificates only

    parsed = parse_vault_reference(reference)
    name = require_name(parsed)
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain).decode("ascii")
    with connect(parsed, context) as connection:
        key = VaultKey(connection, name, parsed.version)
        key.describe()
        connection.transit("post", f"keys/{name}/set-certificate", {"version": key.version, "certificate_chain": pem})


def _refuse_taken(connection: Connection, reference: VaultReference, name: str) -> None:
    # Asked first, because making one that is there already is a success that makes nothing.
    try:
        connection.transit("get", f"keys/{name}")
    except KeyNotFoundError:
        return
    message = f"{reference.text}: the engine has a key of this name already"
    raise CustodyError(message, remedy="choose another name: a key is never replaced")


def _names(connection: Connection) -> list[str]:
    names = connection.transit("list", "keys").get("keys")
    found = [name for name in names if isinstance(name, str) and is_name(name)] if isinstance(names, list) else []
    return sorted(found)


def _describe_if_signing(connection: Connection, reference: VaultReference, name: str) -> KeyDescription | None:
    try:
        return _describe(connection, reference, name)
    except UnsupportedError:  # a key for encryption, or of a kind that hatch-sign does not sign by
        return None


def _describe(connection: Connection, reference: VaultReference, name: str) -> KeyDescription:
    key = VaultKey(connection, name, reference.version)
    facts = key.describe()
    version = f"?version={reference.version}" if reference.version else ""
    return KeyDescription(
        reference=f"{reference.scheme}://{name}{version}",
        label=name,
        id=f"{name} version {key.version}",
        public_key=facts.public_key,
        protection=key.protection(),
        certificates=facts.certificates,
    )
