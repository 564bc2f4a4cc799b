"""The signing keys of a token: found by a reference, with their public halves and what the token says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pkcs11 import Attribute, ObjectClass

from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.public_keys import as_public_key
from hatch_sign_pkcs11.attributes import read
from hatch_sign_pkcs11.certificates import public_key_of_certificate
from hatch_sign_pkcs11.encoding import curve_public_key, rsa_public_key
from hatch_sign_pkcs11.searching import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs11 import PrivateKey, Session

    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_pkcs11.pool import PooledSession
    from hatch_sign_pkcs11.references import Pkcs11Reference

T = TypeVar("T")

_MOST_LISTED = 20
"""Keys that a message lists; a token of a certificate authority may hold thousands."""

_CLAIMED = (
    Attribute.LOCAL,
    Attribute.SENSITIVE,
    Attribute.ALWAYS_SENSITIVE,
    Attribute.EXTRACTABLE,
    Attribute.NEVER_EXTRACTABLE,
    Attribute.KEY_GEN_MECHANISM,
)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key on a token. `claims` is what the token says of it; None where it says nothing.

    `proved` says that the public half was read from the private object itself, and not from one beside it. `allowed` are the
    mechanisms that the key is restricted to (CKA_ALLOWED_MECHANISMS); empty where it is not.
    """

    label: str
    id: bytes
    public_key: PublicKey
    proved: bool
    claims: dict[Attribute, Any]
    always_authenticate: bool
    allowed: frozenset[int]

    @property
    def identity(self) -> tuple[str, bytes]:
        """By what it is found again in another session."""
        return self.label, self.id


def find_key(session: Session, reference: Pkcs11Reference) -> TokenKey:
    """Return the one signing key that `reference` selects.

    Raises KeyNotFoundError where none or several answer, listing what is there; UnsupportedError for a kind of key that
    is not signed with; CustodyError where the token does not show its public half; PKCS11Error.
    """
    chosen = select_private_keys(session, reference)
    subject = display(reference.text)
    if len(chosen) == 1:
        return _describe(session, chosen[0], subject)
    if chosen:
        message = f"{subject}: {len(chosen)} keys answer to it: {_list(chosen)}"
        raise KeyNotFoundError(message, remedy="add what tells them apart, such as `id=`")
    present = _private_keys(session, {})
    message = f"{subject}: no private key answers to it; the token shows: {_list(present)}"
    raise KeyNotFoundError(message, remedy="check `object` and `id`, or make the key: `hatch-sign key generate`")


def find_keys(session: Session, reference: Pkcs11Reference) -> Sequence[TokenKey]:
    """Return every signing key that `reference` selects, by label and id; keys of other kinds are left out."""
    found = []
    for entry in select_private_keys(session, reference):
        try:
            found.append(_describe(session, entry, display(reference.text)))
        except (UnsupportedError, CustodyError):
            continue  # A key for decryption, say: it cannot be listed as one that signs.
    return sorted(found, key=lambda key: key.identity)


def handle_in(pooled: PooledSession, key: TokenKey, subject: str) -> PrivateKey:
    """Return the library's handle of `key` in this session. Raises KeyNotFoundError where it has gone; PKCS11Error."""
    handle = pooled.keys.get(key.identity)
    if handle is None:
        template = {Attribute.ID: key.id} if key.id else {}
        found = [entry for entry in _private_keys(pooled.session, template) if read_identity(entry) == key.identity]
        if not found:
            message = f"{subject}: the key is no longer on the token"
            raise KeyNotFoundError(message, remedy="check that it was not deleted, and that this is the same token")
        handle = pooled.keys[key.identity] = found[0]
    return handle


def select_private_keys(session: Session, reference: Pkcs11Reference) -> Sequence[PrivateKey]:
    """Return the private keys that answer to `reference`. Raises PKCS11Error."""
    template: dict[Attribute, Any] = {} if reference.id is None else {Attribute.ID: reference.id}
    if reference.object is not None:
        exact = answering(_private_keys(session, {**template, Attribute.LABEL: reference.object}), reference)
        if exact:
            return exact
    # The label may be there in another normal form of Unicode, which a token does not know of.
    return answering(_private_keys(session, template), reference)


def _private_keys(session: Session, template: dict[Attribute, Any]) -> Sequence[PrivateKey]:
    return search(session, {Attribute.CLASS: ObjectClass.PRIVATE_KEY, **template})


def read_identity(entry: object) -> tuple[str, bytes]:
    """Return the label and the id of an object. Raises PKCS11Error."""
    return read(entry, Attribute.LABEL, ""), read(entry, Attribute.ID, b"")


def answering(entries: Sequence[T], reference: Pkcs11Reference) -> Sequence[T]:
    """Return those objects whose label and id answer to `reference`. Raises PKCS11Error."""
    named = [(entry, *read_identity(entry)) for entry in entries]
    return [entry for entry, label, key_id in named if reference.selects(label=label, key_id=key_id)]


def _list(entries: Sequence[PrivateKey]) -> str:
    shown = [
        display(f"{label or 'no label'} (id {key_id.hex() or 'none'})")
        for label, key_id in map(read_identity, entries[:_MOST_LISTED])
    ]
    more = [f"and {len(entries) - _MOST_LISTED} more"] if len(entries) > _MOST_LISTED else []
    return ", ".join(shown + more) or "none"


def _describe(session: Session, entry: PrivateKey, subject: str) -> TokenKey:
    label, key_id = read_identity(entry)
    if not read(entry, Attribute.SIGN, default=True):
        message = f"{subject}: the key is not made for signing (CKA_SIGN is false)"
        raise UnsupportedError(message, remedy="choose another key; `hatch-sign key list` shows those that sign")
    own = read_public_key(entry, subject)
    return TokenKey(
        label=label,
        id=key_id,
        public_key=own or _public_key_beside(session, label, key_id, subject),
        proved=own is not None,
        claims={attribute: read(entry, attribute) for attribute in _CLAIMED},
        always_authenticate=bool(read(entry, Attribute.ALWAYS_AUTHENTICATE, default=False)),
        allowed=frozenset(read(entry, Attribute.ALLOWED_MECHANISMS, ())),
    )


def _public_key_beside(session: Session, label: str, key_id: bytes, subject: str) -> PublicKey:
    """Return the public half of the objects beside the private key, or of its certificate.

    Anybody who may write to the token may have put them there: where they disagree, none is believed.
    """
    beside = {Attribute.ID: key_id} if key_id else {Attribute.LABEL: label}
    entries = search(session, {Attribute.CLASS: ObjectClass.PUBLIC_KEY, **beside})
    found = [key for entry in entries if (key := read_public_key(entry, subject)) is not None]
    if any(key != found[0] for key in found):
        message = f"{subject}: the token shows {len(found)} different public keys for it"
        raise CustodyError(message, remedy="remove those that do not belong to the private key")
    if found:
        return found[0]
    from_certificate = public_key_of_certificate(session, beside)
    if from_certificate is not None:
        return as_public_key(from_certificate, subject=subject)
    message = f"{subject}: the token shows neither the public key nor a certificate of this key"
    raise CustodyError(message, remedy="store one of them on the token, under the id of the private key")


def read_public_key(entry: object, subject: str) -> PublicKey | None:
    """Return the public key of an object's attributes, or None where it has none. Raises UnsupportedError, PKCS11Error."""
    try:
        modulus, exponent = read(entry, Attribute.MODULUS), read(entry, Attribute.PUBLIC_EXPONENT)
        if modulus and exponent:
            return rsa_public_key(modulus, exponent)
        parameters, point = read(entry, Attribute.EC_PARAMS), read(entry, Attribute.EC_POINT)
        if parameters and point:
            return curve_public_key(parameters, point)
    except ValueError as error:
        reason = str(error)
    else:
        return None
    message = f"{subject}: the token shows a public key that is not supported: {display(reason)}"
    raise UnsupportedError(message, remedy="use ECDSA P-256, P-384 or P-521, RSA, or Ed25519")
