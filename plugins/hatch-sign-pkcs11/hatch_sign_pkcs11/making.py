"""Making keys inside a token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pkcs11
from pkcs11 import DEFAULT, Attribute, KeyType, MechanismFlag, ObjectClass

from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, CustodyError, UnsupportedError
from hatch_sign_pkcs11.attributes import read
from hatch_sign_pkcs11.connecting import connected, parse_in_run
from hatch_sign_pkcs11.encoding import CURVE_PARAMETERS, ED25519_BY_NAME
from hatch_sign_pkcs11.keys import find_key, select_private_keys
from hatch_sign_pkcs11.listing import describe
from hatch_sign_pkcs11.searching import search
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext, KeyDescription
    from hatch_sign_pkcs11.references import Pkcs11Reference

_Form = tuple[KeyType, int | None, bytes | None]
"""A kind of key, its size in bits for RSA, its curve for the others."""

_ID_SIZE = 20
"""Bytes of the id of a new key, as long as those that other tools take from a hash of the key."""

_RSA_SIZES = {KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}
_NOT_MADE = (
    pkcs11.AttributeTypeInvalid,
    pkcs11.AttributeValueInvalid,
    pkcs11.DomainParamsInvalid,
    pkcs11.KeySizeRange,
    pkcs11.MechanismInvalid,
    pkcs11.TemplateInconsistent,
)
"""How tokens say that they make no such key; after any other answer it may be there, and is not asked for again."""

_LEAVE_USES_UNSAID = ("tpm2-software",)
"""Makers of modules that fail where a use is said, and know best which key does nothing but sign."""

_NEVER_LEAVES = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_MORE_USES = (Attribute.DECRYPT, Attribute.UNWRAP, Attribute.DERIVE)


@dataclass(frozen=True, slots=True)
class _Uses:
    """What is said of the uses of a key pair, beside that the private key signs."""

    public: dict[Attribute, Any]
    private: dict[Attribute, Any]


_SIGNS_ONLY = _Uses({Attribute.VERIFY: True}, dict.fromkeys(_MORE_USES, False))
_UNSAID = _Uses({Attribute.VERIFY: DEFAULT}, dict.fromkeys(_MORE_USES, DEFAULT))


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key in the token, under the label, and the id if one is given, that `reference` names.

    Raises ConfigurationError for a reference without a label, CustodyError where a key answers to it already,
    UnsupportedError for a kind of key that the token does not make; as logging in does.
    """
    parsed = parse_in_run(reference, context)
    subject = display(parsed.text)
    if not parsed.object:
        message = f"{subject}: the reference does not say what the new key is to be called"
        raise ConfigurationError(message, remedy="add `;object=LABEL`")
    with connected(parsed, context) as connection, translated(parsed.text), connection.writing() as session:
        _refuse_taken(session, parsed, subject)
        key_id = parsed.id or secrets.token_bytes(_ID_SIZE)
        uses = [_UNSAID] if connection.manufacturer.startswith(_LEAVE_USES_UNSAID) else [_SIGNS_ONLY, _UNSAID]
        _make(session, algorithm, uses, label=parsed.object, key_id=key_id, subject=subject)
        _warn_of_more(session, key_id, subject, context)
        made = find_key(session, replace(parsed, id=key_id))
        return describe(session, made, connection, parsed, context)


def _refuse_taken(session: Session, reference: Pkcs11Reference, subject: str) -> None:
    """Raise CustodyError where the label and id, or the id alone, are of a key that is there, or of half a key."""
    taken = bool(select_private_keys(session, reference))
    for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY, ObjectClass.CERTIFICATE):
        taken = taken or (bool(reference.id) and bool(search(session, {Attribute.CLASS: kind, Attribute.ID: reference.id})))
    if taken:
        message = f"{subject}: the token holds such a key already, or a public key or certificate of that id"
        raise CustodyError(message, remedy="choose another label and id: a key is never replaced")


def _make(
    session: Session, algorithm: KeyAlgorithm, all_uses: Sequence[_Uses], *, label: str, key_id: bytes, subject: str
) -> None:
    refused = ""
    for uses in all_uses:
        for form in _forms(algorithm):
            try:
                _generate(session, form, uses, label=label, key_id=key_id)
            except _NOT_MADE as error:
                refused = refused or type(error).__name__
            else:
                return
    message = f"{subject}: the token does not make {algorithm.value} keys ({refused})"
    raise UnsupportedError(message, remedy="choose another --algorithm; `hatch-sign doctor` shows what the token offers")


def _generate(session: Session, form: _Form, uses: _Uses, *, label: str, key_id: bytes) -> None:
    kind, size, curve = form
    public = {Attribute.PRIVATE: False, Attribute.ENCRYPT: DEFAULT, Attribute.WRAP: DEFAULT, **uses.public}
    session.generate_keypair(
        kind,
        size,
        id=key_id,
        label=label,
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        public_template={Attribute.KEY_TYPE: kind, **public, **({Attribute.EC_PARAMS: curve} if curve else {})},
        private_template={Attribute.KEY_TYPE: kind, **_NEVER_LEAVES, **uses.private},
    )


def _warn_of_more(session: Session, key_id: bytes, subject: str, context: BackendContext) -> None:
    """Say where the token made a key that does more than to sign, or that can be taken out, whatever it was asked for."""
    for made in search(session, {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}):
        more = [use.name.lower() for use in _MORE_USES if read(made, use, default=False)]
        if more:
            context.warn(f"{subject}: the token lets this key {' and '.join(more)} as well as sign")
        if read(made, Attribute.EXTRACTABLE, default=False) or not read(made, Attribute.SENSITIVE, default=True):
            context.warn(f"{subject}: the token made a key that can be taken out of it, though it was asked not to")


def _forms(algorithm: KeyAlgorithm) -> Sequence[_Form]:
    """Return what to ask for, in turn: Ed25519 has two names, and tokens know one of them."""
    if algorithm in _RSA_SIZES:
        return [(KeyType.RSA, _RSA_SIZES[algorithm], None)]
    if algorithm is KeyAlgorithm.ED25519:
        return [(KeyType.EC_EDWARDS, None, curve) for curve in (CURVE_PARAMETERS[algorithm], ED25519_BY_NAME)]
    return [(KeyType.EC, None, CURVE_PARAMETERS[algorithm])]
