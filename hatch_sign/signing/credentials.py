"""The keys of a run: opened once each, with their configured chains, and held against the configured protection."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import ChoosesSchemes
from hatch_sign.values.algorithms import SMALLEST_RSA_BITS
from hatch_sign.values.display import display
from hatch_sign.values.errors import (
    ConfigurationError,
    CredentialRotatedError,
    MalformedError,
    RejectedError,
    UnsupportedError,
)
from hatch_sign.values.public_keys import describe_key, encode_public_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.x509 import Certificate

    from hatch_sign.contract.formats import Producer
    from hatch_sign.custody.bundle_signer import CheckedBundleSigner
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection, ProtectionLevel
    from hatch_sign.values.public_keys import PublicKey


_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Credential:
    """A public key and the chain that certifies it, as a signature will carry them."""

    public_key: PublicKey
    certificates: tuple[Certificate, ...]

    @property
    def fingerprint(self) -> str:
        """``sha256:`` and the hex digest of the leaf certificate, or of the public key where there is none."""
        if not self.certificates:
            return "sha256:" + hashlib.sha256(encode_public_key(self.public_key)).hexdigest()
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - loaded with the certificate already

        return "sha256:" + self.certificates[0].fingerprint(SHA256()).hex()


def current_credential(signer: CheckedSigner, chain: Path | None) -> Credential:
    """Return what the signer announces now; a configured chain wins over what the backend holds.

    Raises ConfigurationError where the leaf certificate is for another key.
    """
    configured = load_chain(chain) if chain is not None else None
    seen = set()
    for _ in range(_ATTEMPTS):  # another thread may meet a rotation between the two reads
        key = signer.public_key
        certificates = tuple(signer.certificates) if configured is None else configured
        if not certificates or _encoded_key(certificates[0]) == encode_public_key(key):
            return Credential(key, certificates)
        seen.add(encode_public_key(key))
    if len(seen) > 1:
        message = f"{display(signer.reference)}: the service takes a new certificate at every turn"
        raise CredentialRotatedError(message)
    source = display(chain) if chain is not None else display(signer.reference)
    message = f"{source}: the first certificate is for another key than {display(signer.reference)}"
    raise ConfigurationError(message, remedy="put the certificate of the signing key first")


def load_chain(path: Path) -> tuple[Certificate, ...]:
    """Return the certificates in a file, leaf first. Raises ConfigurationError naming the file."""
    from hatch_sign.custody.certificates import parse_certificates  # noqa: PLC0415 - 40 ms, for runs with certificates only

    try:
        return tuple(parse_certificates(path.read_bytes(), subject=display(path)))
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror}"
    except MalformedError as error:
        message = error.message
    raise ConfigurationError(message, remedy="see `certificates` in the configuration")


def choose_scheme(format_name: str, wanted: Sequence[Scheme], signer: CheckedSigner) -> Scheme:
    """Return the first scheme that the format wants and the signer has. Raises UnsupportedError before any signature."""
    offered = signer.schemes
    for scheme in wanted:
        if scheme in offered:
            return scheme
    key = f"{display(signer.reference)} ({describe_key(signer.public_key)})"
    found = ", ".join(scheme.label for scheme in offered) or "nothing"
    expected = ", ".join(scheme.label for scheme in wanted) or "no such key"
    message = f"format {format_name} cannot be made by {key}: the key offers {found}, the format takes {expected}"
    raise UnsupportedError(message, remedy="choose another format, or another key for it")


def wanted_schemes(producer: Producer, signer: CheckedSigner, options: Mapping[str, Any]) -> Sequence[Scheme]:
    """Return what a format wants to sign by, under its settings. Raises UnsupportedError where it says why it cannot."""
    if not isinstance(producer, ChoosesSchemes):
        return producer.schemes(signer.public_key)
    try:
        return producer.choose_schemes(signer.public_key, options)
    except UnsupportedError as error:
        message = f"{display(signer.reference)}: {error.message}"
        raise UnsupportedError(message, remedy=error.remedy) from None


def require_strength(signer: CheckedSigner) -> None:
    """Raise UnsupportedError for an RSA key that verifiers refuse of artifact signers (CSBR 6.1.5.2)."""
    bits = getattr(signer.public_key, "key_size", 0)
    if describe_key(signer.public_key).startswith("rsa") and bits < SMALLEST_RSA_BITS:
        message = f"{display(signer.reference)}: an RSA key of {bits} bits, expected at least {SMALLEST_RSA_BITS}"
        raise UnsupportedError(message, remedy="make a larger key, or one for ECDSA P-256")


def require_protection(signer: CheckedSigner | CheckedBundleSigner, minimum: ProtectionLevel | None) -> Protection:
    """Return how the key is kept. Raises RejectedError where that is less than the configuration demands."""
    protection = signer.protection
    if minimum is not None and protection.level.rank < minimum.rank:
        message = (
            f"{display(signer.reference)}: its protection is {protection.level.value} ({display(protection.summary)}), "
            f"expected at least {minimum.value}"
        )
        raise RejectedError(message, remedy="sign with a key that is kept better, or change `minimum-protection`")
    return protection


def require_timestamp(signer: CheckedSigner, addresses: Sequence[str], *, optional: bool = False) -> None:
    """Raise ConfigurationError where a certificate lives for days and no authority is sure to prove the time of signing."""
    if signer.needs_timestamp and (optional or not addresses):
        message = f"{display(signer.reference)}: its certificate lives for days, so that signatures need a timestamp"
        absent = "set `timestamp` in the configuration, or --timestamp"
        raise ConfigurationError(message, remedy="take `timestamp-optional` away" if addresses else absent)


def _encoded_key(certificate: Certificate) -> bytes:
    from hatch_sign.values.public_keys import as_public_key  # noqa: PLC0415 - with certificates only

    return encode_public_key(as_public_key(certificate.public_key(), subject="the certificate"))
