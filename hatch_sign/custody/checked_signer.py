"""A signer that is checked: lengths before each call, the signature after it, and no vendor's exception in between."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import HashesMessages, NeedsTimestamp
from hatch_sign.custody.gated import Gated, entered
from hatch_sign.values.algorithms import DIGEST_SIZES
from hatch_sign.values.display import display
from hatch_sign.values.errors import CredentialRotatedError, UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import as_public_key, verify_digest, verify_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import Backend, BackendContext, Signer
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey


class CheckedSigner(Gated["Signer"]):
    """A backend's signer behind its gate; returns no signature that it has not verified."""

    what = "the key"

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key. Raises UnsupportedError for a key outside the closed table."""
        return as_public_key(self._read(lambda signer: signer.public_key), subject=display(self._reference))

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The certificate of the key, then its issuers, as far as the backend holds them."""
        return tuple(self._read(lambda signer: signer.certificates))

    @property
    def schemes(self) -> Sequence[Scheme]:
        """What the key can sign by, that which signs digests before that which signs messages only."""
        return tuple(self._read(lambda signer: (*signer.schemes, *_message_schemes(signer))))

    def takes_digests(self, scheme: Scheme) -> bool:
        """Return whether a digest can be signed by `scheme`; else a message must be given, and a small one."""
        return scheme.hash is not None and scheme in self._read(lambda signer: tuple(signer.schemes))

    @property
    def protection(self) -> Protection:
        """How the key is kept; may cost a call."""
        return self._read(lambda signer: signer.protection)

    @property
    def needs_timestamp(self) -> bool:
        """Whether nothing may be signed without a timestamp, because the certificate ends within days."""
        return self._read(lambda signer: isinstance(signer, NeedsTimestamp) and signer.needs_timestamp)

    @property
    def concurrency(self) -> int:
        """How many calls the backend takes at once; more wait at the gate."""
        return self._read(lambda signer: signer.concurrency)

    def sign(self, message: bytes, scheme: Scheme) -> bytes:
        """Return a verified signature over `message`: its digest is signed, or for Ed25519 the message itself.

        A token that hashes itself gets the message. Raises UnsupportedError for a scheme that the key does not have and
        for a message beyond the backend's limit, WrongSignatureError for a signature that is none, CredentialRotatedError
        as the backend does, CustodyError.
        """
        self._require_scheme(scheme)
        if scheme.hash is not None and self.takes_digests(scheme):
            return self.sign_digest(hashlib.new(scheme.hash, message).digest(), scheme)
        limit = self._read(lambda signer: signer.max_message)
        if len(message) > limit:
            text = f"{self._shown}: a message of {len(message)} bytes is to be signed, and it takes at most {limit}"
            raise UnsupportedError(text, remedy="sign fewer artifacts in one statement, or use an ECDSA or RSA key")
        key = self.public_key
        signature = self._call(lambda signer: _sign_message(signer, message, scheme))
        return self._verified(signature, key, lambda found: verify_message(key, found, message, scheme))

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return a verified signature over `digest`, which must be as long as the scheme's hash.

        Raises as :meth:`sign`; UnsupportedError for Ed25519, which signs no digests, for a token that hashes itself, and
        for a wrong length.
        """
        self._require_scheme(scheme)
        if scheme.hash is not None and not self.takes_digests(scheme):
            text = f"{self._shown}: the token signs no digests by {scheme.label}; it hashes what it signs"
            raise UnsupportedError(text, remedy="sign with a key, or by a format, that signs small messages")
        expected = DIGEST_SIZES[scheme.hash] if scheme.hash is not None else None
        if len(digest) != expected:
            wanted = "no digest at all" if expected is None else f"a digest of {expected} bytes"
            text = f"{self._shown}: a digest of {len(digest)} bytes is to be signed, and {scheme.label} takes {wanted}"
            raise UnsupportedError(text)
        key = self.public_key
        signature = self._call(lambda signer: signer.sign_digest(digest, scheme))
        return self._verified(signature, key, lambda found: verify_digest(key, found, digest, scheme))

    def _require_scheme(self, scheme: Scheme) -> None:
        schemes = self.schemes
        if scheme not in schemes:
            offered = ", ".join(each.label for each in schemes) or "nothing"
            message = f"{self._shown}: the key does not sign by {scheme.label}; it signs by {offered}"
            raise UnsupportedError(message)

    def _verified(self, signature: object, key: PublicKey, check: Callable[[bytes], bool]) -> bytes:
        if isinstance(signature, bytes) and check(signature):
            return signature
        if self.public_key != key:
            # Another thread met the rotation between our reading the key and the service's answering.
            message = f"{self._shown}: the service changed its certificate while it signed"
            raise CredentialRotatedError(message, remedy="repeat the signature with the new certificate")
        message = f"{self._shown}: what came back is not a signature by this key over what was sent"
        raise WrongSignatureError(message, remedy="check that the reference names the key you mean; nothing was written")


@contextmanager
def open_signer(backend: Backend, reference: str, context: BackendContext) -> Iterator[CheckedSigner]:
    """Log in, lend a checked signer, and log out; the signer refuses everything afterwards.

    Raises HatchSignError only, without a chain. When the body raises, that is what is raised, and a logout that fails as
    well becomes a warning.
    """
    with entered(lambda: backend.open(reference, context), reference, context) as signer:
        checked = CheckedSigner(signer, reference=reference)
        try:
            yield checked
        finally:
            checked.close()


def _message_schemes(signer: Signer) -> tuple[Scheme, ...]:
    return tuple(signer.message_schemes) if isinstance(signer, HashesMessages) else ()


def _sign_message(signer: Signer, message: bytes, scheme: Scheme) -> bytes:
    if scheme.hash is not None and isinstance(signer, HashesMessages):
        return signer.sign_hashing(message, scheme)
    return signer.sign_message(message)
