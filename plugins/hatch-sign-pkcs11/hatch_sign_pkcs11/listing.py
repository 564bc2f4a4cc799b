"""The keys of a token, as they are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError
from hatch_sign_pkcs11.certificates import read_chain
from hatch_sign_pkcs11.connecting import connected, parse_in_run
from hatch_sign_pkcs11.keys import find_key, find_keys
from hatch_sign_pkcs11.protection import describe_protection
from hatch_sign_pkcs11.references import encode_reference, ignores_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate
    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_pkcs11.connection import Connection
    from hatch_sign_pkcs11.keys import TokenKey
    from hatch_sign_pkcs11.references import Pkcs11Reference


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the signing keys that `reference` selects, by label and id.

    Raises KeyNotFoundError where it names a key that is not there; as logging in does.
    """
    parsed = parse_in_run(reference, context)
    names_a_key = parsed.object is not None or parsed.id is not None
    with connected(parsed, context) as connection:

        def read(session: Session) -> Sequence[KeyDescription]:
            found = find_keys(session, parsed) or ([find_key(session, parsed)] if names_a_key else [])
            return [describe(session, key, connection, parsed, context) for key in found]

        return connection.run(lambda pooled: read(pooled.session))


def describe(
    session: Session, key: TokenKey, connection: Connection, reference: Pkcs11Reference, context: BackendContext
) -> KeyDescription:
    """Return `key` as it is listed, with a reference that opens it again. Raises PKCS11Error."""
    subject = display(reference.text)
    chain = _chain(session, key, subject, context)
    return KeyDescription(
        reference=encode_reference(
            connection.token.facts,
            label=key.label or None,
            key_id=key.id or None,
            module_path=reference.module_path,
            module_name=reference.module_name,
            pin_source=reference.pin_source,
        ),
        label=key.label,
        id=key.id.hex(),
        public_key=key.public_key,
        protection=describe_protection(connection.token, key),
        certificates=tuple(chain),
        proved=key.proved,
    )


def _chain(session: Session, key: TokenKey, subject: str, context: BackendContext) -> Sequence[Certificate]:
    """Return the key's certificates; a wrong one is warned of, as it keeps the key from signing, not from being listed."""
    if ignores_certificates(context.environ):
        return ()
    try:
        return read_chain(session, key.id, key.public_key, subject=subject)
    except CustodyError as error:
        context.warn(str(error))
        return ()
