"""A key as its backend lists it, in the shape of a signer: everything can be read of it, and it signs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from hatch_sign.custody.checked_signer import CheckedSigner
from hatch_sign.custody.gated import unchained
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.public_keys import as_public_key, schemes_of_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, KeyDescription, ListsKeys
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey


class ListedSigner:
    """The :class:`~hatch_sign.contract.backends.Signer` that nobody logged in for.

    Its schemes are all that fit such a key: which of them the token has is seen with a login only.
    """

    concurrency = 1
    max_message = 0

    def __init__(self, description: KeyDescription) -> None:
        self._description = description
        self._public_key = as_public_key(description.public_key, subject=display(description.reference))

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The certificate of the key, then its issuers, as they are listed."""
        return self._description.certificates

    @property
    def schemes(self) -> Sequence[Scheme]:
        """Every scheme of such a key."""
        return schemes_of_key(self._public_key)

    @property
    def protection(self) -> Protection:
        """How the key is kept."""
        return self._description.protection

    def sign_digest(self, digest: bytes, scheme: Scheme) -> NoReturn:
        """Raise UnsupportedError."""
        message = f"{display(self._description.reference)}: {len(digest)} bytes by {scheme.label}: nobody has logged in"
        raise UnsupportedError(message)

    def sign_message(self, message: bytes) -> NoReturn:
        """Raise UnsupportedError."""
        text = f"{display(self._description.reference)}: {len(message)} bytes: nobody has logged in"
        raise UnsupportedError(text)


def find_listed(backend: ListsKeys, reference: str, context: BackendContext, *, about: str) -> CheckedSigner:
    """Return the one key that `reference` selects, as it is listed.

    Raises ConfigurationError where it selects several, KeyNotFoundError for none, and what the backend raises.
    """
    keys = unchained(lambda: list(backend.list_keys(reference, context)), subject=about)
    if len(keys) == 1:
        return CheckedSigner(unchained(lambda: ListedSigner(keys[0]), subject=about), reference=reference)
    if not keys:
        message = f"{about}: no key is listed"
        raise KeyNotFoundError(message)
    message = f"{about}: it must name one key, and selects {', '.join(display(key.reference) for key in keys)}"
    raise ConfigurationError(message, remedy="name one of them")
