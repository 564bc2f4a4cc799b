"""One key of a vault: what it says of itself, and how it signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import Failure, FailureKind, KeyFacts, encode_ecdsa_signature
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError
from hatch_sign_kms.azure.algorithms import ALGORITHMS, schemes_of
from hatch_sign_kms.azure.answers import as_text, curve_name, kind_name, read_public_key, require_identity
from hatch_sign_kms.azure.certificates import read_certificates
from hatch_sign_kms.azure.keeping import describe_keeping

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.keyvault.keys import KeyVaultKey
    from azure.keyvault.keys.crypto import CryptographyClient

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign_kms.azure.connection import Vault
    from hatch_sign_kms.azure.references import AzureReference


class AzureKey:
    """A :class:`~hatch_sign.remote.RemoteKey`; asks through `caller`, which carries the policy for failures."""

    def __init__(
        self, vault: Vault, reference: AzureReference, caller: ServiceCaller, *, warn: Callable[[str], None]
    ) -> None:
        self._vault = vault
        self._reference = reference
        self._caller = caller
        self._warn = warn
        self._key: KeyVaultKey | None = None
        self._client: CryptographyClient | None = None

    @property
    def version(self) -> str:
        """The version that was pinned; empty before :meth:`describe`."""
        return (self._key.properties.version or "") if self._key is not None else ""

    def describe(self) -> KeyFacts:
        """Return the facts of the version that the reference names, or else of the newest one."""
        key = self._caller.call(
            lambda: self._vault.keys.get_key(self._reference.key or "", self._reference.version),
            permission="keys/get",
        )
        require_identity(key, self._reference, self._caller)
        schemes = self._usable_schemes(key)
        public_key = read_public_key(key, self._caller)
        certificates = read_certificates(self._vault, key, public_key, self._caller, warn=self._warn)
        self._key, self._client = key, self._vault.cryptography(key)
        return KeyFacts(public_key, schemes, certificates=certificates)

    def protection(self) -> Protection:
        """Return how the version is kept, as it was described."""
        plain_channel = not self._reference.url.startswith("https://")
        return describe_keeping(self._described(), self._reference.service, plain_channel=plain_channel)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`."""
        from azure.keyvault.keys.crypto import SignatureAlgorithm  # noqa: PLC0415 - with the SDK only

        client, algorithm = self._client, SignatureAlgorithm(ALGORITHMS[scheme])
        if client is None:
            self._caller.reject_answer("has not been asked for the key yet")
        answer = self._caller.call(lambda: client.sign(algorithm, digest), permission="keys/sign")
        if not answer.signature:
            self._caller.reject_answer("sent no signature")
        return encode_ecdsa_signature(answer.signature, self._caller) if scheme.family == "ecdsa" else answer.signature

    def sign_message(self, message: bytes) -> bytes:
        """Raise UnsupportedError: the service signs digests only, and no key of it announces anything else."""
        text = f"{self._reference.text}: the key signs digests, and no message of {len(message)} bytes"
        raise UnsupportedError(text)

    def _described(self) -> KeyVaultKey:
        if self._key is None:
            self._caller.reject_answer("has not been asked for the key yet")
        return self._key

    def _usable_schemes(self, key: KeyVaultKey) -> tuple[Scheme, ...]:
        """Return the schemes of the key. Raises CustodyError for one that may not sign, UnsupportedError for its kind."""
        kind = kind_name(key)
        schemes = schemes_of(kind, curve_name(key))
        if not schemes:
            found = f"{display(kind)} {display(curve_name(key))}".rstrip()
            message = f"{self._reference.text}: hatch-sign does not sign with keys of type {found}"
            raise UnsupportedError(message, remedy="use ECDSA P-256, P-384 or P-521, or RSA")
        if key.properties.enabled is False:
            failure = Failure(FailureKind.INVALID, found="cannot use the key: it is disabled", remedy="enable it")
            raise self._caller.error(failure)
        if "sign" not in [as_text(each) for each in key.key_operations]:
            remedy = "allow the operation `sign` on the key"
            raise self._caller.error(Failure(FailureKind.INVALID, found="does not let this key sign", remedy=remedy))
        return schemes
