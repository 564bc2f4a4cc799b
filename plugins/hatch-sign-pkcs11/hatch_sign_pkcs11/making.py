"""Making keys inside a token, and storing certificates beside them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11 import DEFAULT, Attribute, KeyType, MechanismFlag, ObjectClass

from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, CustodyError, UnsupportedError
from hatch_sign_pkcs11.attributes import read
from hatch_sign_pkcs11.certificates import LONGEST_CHAIN, parse_certificate
from hatch_sign_pkcs11.connection import connected, parse
from hatch_sign_pkcs11.encoding import CURVE_PARAMETERS, ED25519_BY_NAME
from hatch_sign_pkcs11.keys import TokenKey, find_key, select_private_keys
from hatch_sign_pkcs11.listing import describe
from hatch_sign_pkcs11.searching import search
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate
    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext, KeyDescription

_Form = tuple[KeyType, int | None, bytes | None]
"""A kind of key, its size in bits for RSA, its curve for the others."""

_ID_SIZE = 20
"""Bytes of the id of a new key, as long as those that other tools take from a hash of the key."""

_RSA_SIZES = {KeyAlgorithm.RSA_3072: 3072, KeyAlgorithm.RSA_4096: 4096}
_NOT_MADE = (
    pkcs11.AttributeValueInvalid,
    pkcs11.DomainParamsInvalid,
    pkcs11.KeySizeRange,
    pkcs11.MechanismInvalid,
    pkcs11.TemplateInconsistent,
)
"""How tokens say that they make no such key."""

_NEVER_LEAVES = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_SIGNS_ONLY = {Attribute.DECRYPT: False, Attribute.UNWRAP: False, Attribute.DERIVE: False}
_USES_LEFT_TO_THE_TOKEN = dict.fromkeys(_SIGNS_ONLY, DEFAULT)
_PUBLIC = {Attribute.PRIVATE: False, Attribute.ENCRYPT: DEFAULT, Attribute.WRAP: DEFAULT}


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key in the token, under the label, and the id if one is given, that `reference` names.

    Raises ConfigurationError for a reference without a label, CustodyError where a key answers to it already,
    UnsupportedError for a kind of key that the token does not make; as logging in does.
    """
    parsed = parse(reference, context)
    subject = display(parsed.text)
    if not parsed.object:
        message = f"{subject}: the reference does not say what the new key is to be called"
        raise ConfigurationError(message, remedy="add `;object=LABEL`")
    with connected(parsed, context) as connection, translated(parsed.text), connection.writing() as session:
        if select_private_keys(session, parsed):
            message = f"{subject}: the token holds such a key already"
            raise CustodyError(message, remedy="choose another label: a key is never replaced")
        key_id = parsed.id or secrets.token_bytes(_ID_SIZE)
        _make(session, algorithm, label=parsed.object, key_id=key_id, subject=subject, context=context)
        made = find_key(session, replace(parsed, id=key_id))
        return describe(session, made, connection, parsed, context)


def import_certificate(reference: str, chain: Sequence[Certificate], context: BackendContext) -> None:
    """Store `chain`, the key's own certificate first, in place of an older one of the same key.

    The new one is stored before the older one is removed, so that a run that is cut off leaves one that fits. Raises
    CustodyError; as logging in does.
    """
    parsed = parse(reference, context)
    with connected(parsed, context) as connection, translated(parsed.text), connection.writing() as session:
        key = find_key(session, parsed)
        if not 1 <= len(chain) <= LONGEST_CHAIN or chain[0].public_key() != key.public_key:
            message = f"{display(parsed.text)}: a chain is at most {LONGEST_CHAIN} certificates, that of the key first"
            raise CustodyError(message)
        present = {bytes(read(entry, Attribute.VALUE, b"")): entry for entry in _certificates(session)}
        for certificate in chain[1:]:
            if certificate.public_bytes(Encoding.DER) not in present:
                _store(session, certificate, {Attribute.LABEL: certificate.subject.rfc4514_string()})
        _store_leaf(session, chain[0], key, present)


def _make(
    session: Session, algorithm: KeyAlgorithm, *, label: str, key_id: bytes, subject: str, context: BackendContext
) -> None:
    failures = []
    for uses in (_SIGNS_ONLY, _USES_LEFT_TO_THE_TOKEN):
        for form in _forms(algorithm):
            try:
                _generate(session, form, uses, label=label, key_id=key_id)
            except pkcs11.PKCS11Error as error:
                failures.append(error)
                continue
            if uses is not _SIGNS_ONLY:
                context.warn(f"{subject}: the token makes no key that does nothing but sign: this one may do more")
            return
    if not isinstance(failures[0], _NOT_MADE):
        raise failures[0]
    message = f"{subject}: the token does not make {algorithm.value} keys ({type(failures[0]).__name__})"
    raise UnsupportedError(message, remedy="choose another --algorithm; `hatch-sign doctor` shows what the token offers")


def _generate(session: Session, form: _Form, uses: dict[Attribute, Any], *, label: str, key_id: bytes) -> None:
    kind, size, curve = form
    session.generate_keypair(
        kind,
        size,
        id=key_id,
        label=label,
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        public_template={Attribute.KEY_TYPE: kind, **_PUBLIC, **({Attribute.EC_PARAMS: curve} if curve else {})},
        private_template={Attribute.KEY_TYPE: kind, **_NEVER_LEAVES, **uses},
    )


def _forms(algorithm: KeyAlgorithm) -> Sequence[_Form]:
    """Return what to ask for, in turn: Ed25519 has two names, and tokens know one of them."""
    if algorithm in _RSA_SIZES:
        return [(KeyType.RSA, _RSA_SIZES[algorithm], None)]
    if algorithm is KeyAlgorithm.ED25519:
        return [(KeyType.EC_EDWARDS, None, curve) for curve in (CURVE_PARAMETERS[algorithm], ED25519_BY_NAME)]
    return [(KeyType.EC, None, CURVE_PARAMETERS[algorithm])]


def _certificates(session: Session) -> Sequence[Any]:
    return search(session, {Attribute.CLASS: ObjectClass.CERTIFICATE})


def _store_leaf(session: Session, leaf: Certificate, key: TokenKey, present: dict[bytes, Any]) -> None:
    der = leaf.public_bytes(Encoding.DER)
    older = [entry for value, entry in present.items() if value != der and _belongs(value, key)]
    if der not in present:
        _store(session, leaf, {Attribute.LABEL: key.label, Attribute.ID: key.id})
    for entry in older:
        entry.destroy()


def _belongs(der: bytes, key: TokenKey) -> bool:
    certificate = parse_certificate(der)
    return certificate is not None and certificate.public_key() == key.public_key


def _store(session: Session, certificate: Certificate, names: dict[Attribute, Any]) -> None:
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.CERTIFICATE,
            Attribute.CERTIFICATE_TYPE: 0,  # CKC_X_509
            Attribute.TOKEN: True,
            Attribute.PRIVATE: False,
            Attribute.SUBJECT: certificate.subject.public_bytes(),
            Attribute.ISSUER: certificate.issuer.public_bytes(),
            Attribute.SERIAL_NUMBER: _encode_serial(certificate.serial_number),
            Attribute.VALUE: certificate.public_bytes(Encoding.DER),
            **names,
        }
    )


def _encode_serial(number: int) -> bytes:
    """Return the serial number as a DER INTEGER, as CKA_SERIAL_NUMBER wants it (PKCS#11 v2.40 base §4.6.3)."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    return bytes([0x02, len(content)]) + content
