"""Makes Authenticode signatures and puts them into PE files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import ConfigurationError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.public_keys import PublicKey

_SCHEMES = {"sha256": Scheme.RSA_PKCS1_SHA256, "sha384": Scheme.RSA_PKCS1_SHA384, "sha512": Scheme.RSA_PKCS1_SHA512}


class AuthenticodeProducer:
    """A :class:`~hatch_sign.contract.EmbeddedProducer` of PE files."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        """Return RSA PKCS #1 v1.5, SHA-256 first; nothing for other keys, which Windows does not accept."""
        return list(_SCHEMES.values()) if _is_rsa(key) else []

    def choose_schemes(self, key: PublicKey, options: Mapping[str, Any]) -> Sequence[Scheme]:
        """Return the scheme of ``authenticode-hash``, where that is set; else as :meth:`schemes`.

        Raises UnsupportedError for a key that is not RSA, ConfigurationError for a hash that is none of three.
        """
        if not _is_rsa(key):
            from hatch_sign.values.public_keys import describe_key  # noqa: PLC0415 - with a key it is loaded already

            message = f"an {describe_key(key)} key makes no Authenticode signature that Windows accepts, expected RSA"
            raise UnsupportedError(message, remedy="sign with an RSA key of 3072 bits or more")
        hash_ = options.get("authenticode-hash")
        if hash_ is None:
            return self.schemes(key)
        if hash_ not in _SCHEMES:
            message = f"`authenticode-hash` is {hash_!r}, expected one of {', '.join(_SCHEMES)}"
            raise ConfigurationError(message)
        return [_SCHEMES[hash_]]

    def digests(self, scheme: Scheme) -> frozenset[str]:
        """Return nothing: the digest of a PE file leaves parts of it out, so it is taken from the stream."""
        del scheme
        return frozenset()

    def carries(self, seal: Seal) -> Sequence[Certificate]:
        """Return the chain without its root."""
        from hatch_sign.formats.cms.carrying import without_roots  # noqa: PLC0415 - loads asn1crypto, for PE files only

        return without_roots(seal.certificates)

    def require_certificate(self, certificates: Sequence[Certificate]) -> None:
        """Raise UnsupportedError for a bare key."""
        from hatch_sign.formats.cms.sealing import require_certificate  # noqa: PLC0415 - as above

        require_certificate(certificates)

    def embed(self, source: BinaryIO, target: BinaryIO, seal: Seal) -> bool:
        """Copy `source` to `target` with a signature inside; False for what is no PE file.

        Other signatures in it are replaced, or kept with ``authenticode-nested``. Raises UnsupportedError, before it signs,
        for a key without certificate and for a file that cannot be signed safely, MalformedError for one that is damaged.
        """
        from hatch_sign_authenticode.pe import HEAD_SIZE, is_pe  # noqa: PLC0415 - light, and lets most files pass

        if not is_pe(source.read(HEAD_SIZE)):
            return False
        from hatch_sign_authenticode.embedding import embed_signature  # noqa: PLC0415 - for PE files only

        embed_signature(source, target, seal, self.carries(seal))
        return True

    def embed_timestamps(
        self, source: BinaryIO, target: BinaryIO, choose: Callable[[bytes, Sequence[bytes]], Sequence[bytes]]
    ) -> bool:
        """Copy `source` to `target` with other timestamps: :class:`~hatch_sign.contract.TakesTimestampsInside`.

        Also False for what is no PE file. Raises UnsupportedError for one that has no place for signatures.
        """
        from hatch_sign_authenticode.pe import HEAD_SIZE, is_pe  # noqa: PLC0415 - as above

        if not is_pe(source.read(HEAD_SIZE)):
            return False
        from hatch_sign_authenticode.stamping import stamp_signatures  # noqa: PLC0415 - as above

        return stamp_signatures(source, target, choose)


def _is_rsa(key: PublicKey) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - with a key it is loaded already

    return isinstance(key, RSAPublicKey)
