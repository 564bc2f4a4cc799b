"""By which mechanism of the token each scheme is signed, and in what form the token takes what is signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import MGF, Mechanism

from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.public_keys import describe_key, schemes_of_key
from hatch_sign_pkcs11.encoding import digest_info, ecdsa_signature

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hatch_sign.values.public_keys import PublicKey

_HASHES = {
    "sha256": (Mechanism.SHA256, MGF.SHA256),
    "sha384": (Mechanism.SHA384, MGF.SHA384),
    "sha512": (Mechanism.SHA512, MGF.SHA512),
}
_OF_DIGESTS = {"ecdsa": Mechanism.ECDSA, "rsa-pkcs1": Mechanism.RSA_PKCS, "rsa-pss": Mechanism.RSA_PKCS_PSS}
_OF_MESSAGES = {
    Scheme.ECDSA_SHA256: Mechanism.ECDSA_SHA256,
    Scheme.ECDSA_SHA384: Mechanism.ECDSA_SHA384,
    Scheme.ECDSA_SHA512: Mechanism.ECDSA_SHA512,
    Scheme.RSA_PKCS1_SHA256: Mechanism.SHA256_RSA_PKCS,
    Scheme.RSA_PKCS1_SHA384: Mechanism.SHA384_RSA_PKCS,
    Scheme.RSA_PKCS1_SHA512: Mechanism.SHA512_RSA_PKCS,
    Scheme.RSA_PSS_SHA256: Mechanism.SHA256_RSA_PKCS_PSS,
    Scheme.RSA_PSS_SHA384: Mechanism.SHA384_RSA_PKCS_PSS,
    Scheme.RSA_PSS_SHA512: Mechanism.SHA512_RSA_PKCS_PSS,
    Scheme.ED25519: Mechanism.EDDSA,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one scheme is signed: the mechanism, its parameters, and whether the token takes the digest or hashes itself."""

    scheme: Scheme
    mechanism: Mechanism
    takes: Literal["digest", "message"]

    @property
    def parameters(self) -> tuple[Mechanism, MGF, int] | None:
        """Of PSS: the hash, MGF1 with the same hash, and a salt as long as the digest (RFC 8017 §9.1)."""
        if self.scheme.family != "rsa-pss" or self.scheme.hash is None:
            return None
        return (*_HASHES[self.scheme.hash], DIGEST_SIZES[self.scheme.hash])

    def prepare(self, data: bytes) -> bytes:
        """Return `data`, a digest or a message, as the mechanism takes it."""
        if self.mechanism is Mechanism.RSA_PKCS and self.scheme.hash is not None:
            return digest_info(data, self.scheme.hash)
        return data


def recipes_for(
    key: PublicKey, offered: Collection[Any], allowed: Collection[int], *, subject: str
) -> Mapping[Scheme, Recipe]:
    """Return a recipe for each scheme that the token can sign by with such a key, those that take digests first.

    `offered` are the token's mechanisms, `allowed` those that the key is restricted to, all where it is empty. Raises
    UnsupportedError where there is none, naming what the token offers.
    """
    usable = {mechanism for mechanism in offered if not allowed or int(mechanism) in allowed}
    found = [recipe for scheme in schemes_of_key(key) if (recipe := _recipe(scheme, usable)) is not None]
    if found:
        return {recipe.scheme: recipe for recipe in sorted(found, key=lambda recipe: recipe.takes)}
    names = ", ".join(sorted(map(name_mechanism, signing_mechanisms(usable)))) or "none that signs"
    message = f"{subject}: the token has no mechanism to sign with its {describe_key(key)} key; it offers: {display(names)}"
    raise UnsupportedError(message, remedy="use a key of another kind, or ask the vendor for the mechanism")


def signing_mechanisms(offered: Collection[Any]) -> set[Mechanism]:
    """Return those of the token's mechanisms that some key could sign a release by."""
    return {*_OF_DIGESTS.values(), *_OF_MESSAGES.values()} & set(offered)


def encode_signature(raw: bytes, key: PublicKey) -> bytes:
    """Return the token's signature as the contract wants it: ECDSA in DER, RSA as long as the modulus.

    Raises ValueError for one that cannot be.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ecdsa_signature(raw, key)
    if isinstance(key, rsa.RSAPublicKey):
        return raw.rjust((key.key_size + 7) // 8, b"\0")  # Some tokens leave leading zeros out.
    return raw


def name_mechanism(mechanism: object) -> str:
    """Return a mechanism as PKCS#11 names it; a vendor's own as a number."""
    return f"CKM_{mechanism.name.lstrip('_')}" if isinstance(mechanism, Mechanism) else f"0x{int(str(mechanism)):X}"


def _recipe(scheme: Scheme, usable: Collection[Any]) -> Recipe | None:
    of_digests = _OF_DIGESTS.get(scheme.family)
    if of_digests is not None and of_digests in usable:
        return Recipe(scheme, of_digests, "digest")
    of_messages = _OF_MESSAGES[scheme]
    return Recipe(scheme, of_messages, "message") if of_messages in usable else None
