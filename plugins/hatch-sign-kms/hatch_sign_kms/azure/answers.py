"""What the service answers, checked before it is believed: which key it speaks of, and the key itself (RFC 7517)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.values.public_keys import as_public_key

if TYPE_CHECKING:
    from azure.keyvault.keys import KeyVaultKey

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_kms.azure.references import AzureReference


def require_identity(key: KeyVaultKey, reference: AzureReference, caller: ServiceCaller) -> None:
    """Raise CustodyError for an answer about another key, or of no version that could be pinned."""
    version = key.properties.version
    right_version = version == reference.version if reference.version else bool(version)
    if (key.name or "").lower() != (reference.key or "").lower() or not right_version:
        caller.reject_answer("answered for another key than it was asked for")


def read_public_key(key: KeyVaultKey, caller: ServiceCaller) -> PublicKey:
    """Return the public half of `key`. Raises CustodyError for one that is no key."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - for keys that are opened only

    curves: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    curve = curves.get(curve_name(key))
    try:
        if curve is not None:
            return ec.EllipticCurvePublicNumbers(_number(key, "x"), _number(key, "y"), curve).public_key()
        made = rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()
    except (ValueError, TypeError):
        caller.reject_answer("sent a public key that cannot be read")
    return as_public_key(made, subject=caller.key)


def curve_name(key: KeyVaultKey) -> str:
    """Return the name of the key's curve, empty for RSA."""
    return as_text(getattr(key.key, "crv", None))


def kind_name(key: KeyVaultKey) -> str:
    """Return the type of the key, such as ``EC-HSM``."""
    return as_text(key.key_type)


def as_text(value: object) -> str:
    """Return what the SDK gives as a string or as a member of an enumeration, by release; empty for None."""
    return "" if value is None else str(getattr(value, "value", value))


def _number(key: KeyVaultKey, name: str) -> int:
    """Return the integer in a member of the key, big-endian octets. Raises TypeError where there are none."""
    octets = getattr(key.key, name, None)
    if not isinstance(octets, bytes):
        message = "a number is missing"
        raise TypeError(message)
    return int.from_bytes(octets)
