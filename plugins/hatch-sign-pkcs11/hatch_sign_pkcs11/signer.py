"""A key on a token that is ready to sign."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, UnsupportedError, WrongSignatureError
from hatch_sign_pkcs11.certificates import read_chain
from hatch_sign_pkcs11.connecting import connected, parse_in_run
from hatch_sign_pkcs11.keys import find_key, handle_in
from hatch_sign_pkcs11.login import WRONG_PINS, as_it_stands
from hatch_sign_pkcs11.mechanisms import encode_signature, recipes_for
from hatch_sign_pkcs11.protection import describe_protection
from hatch_sign_pkcs11.references import ignores_certificates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate
    from pkcs11 import PrivateKey

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.protection import Protection
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_pkcs11.connection import Connection
    from hatch_sign_pkcs11.keys import TokenKey
    from hatch_sign_pkcs11.mechanisms import Recipe
    from hatch_sign_pkcs11.pool import PooledSession
    from hatch_sign_pkcs11.references import Pkcs11Reference

MAX_MESSAGE = 2**20
"""Bytes of the longest message that a token is sent whole: several statements of 1,024 artifacts, far from an artifact."""


class Pkcs11Signer:
    """The live handle of one key; every call takes a session of the connection's pool."""

    def __init__(
        self,
        connection: Connection,
        key: TokenKey,
        *,
        recipes: Mapping[Scheme, Recipe],
        certificates: Sequence[Certificate],
        context: BackendContext,
    ) -> None:
        """Sign with `key` by `recipes`; `context` lends the PIN to keys that want it at every signature."""
        self._connection: Connection | None = connection
        self._key = key
        self._recipes = recipes
        self._certificates = tuple(certificates)
        self._context = context
        self._subject = display(connection.reference.text)

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key, as the token shows it."""
        return self._key.public_key

    @property
    def certificates(self) -> Sequence[Certificate]:
        """The key's certificate and its issuers, as far as the token holds them."""
        return self._certificates

    @property
    def schemes(self) -> Sequence[Scheme]:
        """What the token's mechanisms sign a digest by; pure Ed25519 as well."""
        return [scheme for scheme, recipe in self._recipes.items() if recipe.takes == "digest" or scheme.hash is None]

    @property
    def message_schemes(self) -> Sequence[Scheme]:
        """What the token signs by only when it hashes the message itself."""
        return [scheme for scheme, recipe in self._recipes.items() if recipe.takes == "message" and scheme.hash is not None]

    @property
    def protection(self) -> Protection:
        """What the token says of itself and of the key."""
        return describe_protection(self._require_open().token, self._key)

    @property
    def concurrency(self) -> int:
        """As many sessions as the run can use; one where the module does not take threads."""
        return self._require_open().concurrency

    @property
    def max_message(self) -> int:
        """1 MiB where messages are signed, else 0."""
        return MAX_MESSAGE if any(recipe.takes == "message" for recipe in self._recipes.values()) else 0

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`. Raises UnsupportedError for what the key cannot do, CustodyError."""
        if scheme not in self.schemes or scheme.hash is None:
            self._refuse(f"the key does not sign digests by {scheme.label}")
        if len(digest) != DIGEST_SIZES[scheme.hash]:
            self._refuse(f"{scheme.label} signs {DIGEST_SIZES[scheme.hash]} bytes, and {len(digest)} were given")
        return self._sign(digest, self._recipes[scheme])

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`. Raises as `sign_digest`, and for more than 1 MiB."""
        return self._sign_whole(message, Scheme.ED25519)

    def sign_hashing(self, message: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `message`, hashed by the token; raises as `sign_message`."""
        if scheme not in self.message_schemes:
            self._refuse(f"the token does not hash messages for {scheme.label}")
        return self._sign_whole(message, scheme)

    def close(self) -> None:
        """Refuse everything from now on; the connection goes on as long as anybody uses it."""
        self._connection = None

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: the handle belongs to this process and login."""
        self._refuse("the handle of a key cannot be copied")

    def _sign_whole(self, message: bytes, scheme: Scheme) -> bytes:
        if scheme not in self._recipes:
            self._refuse(f"the key does not sign by {scheme.label}")
        if len(message) > MAX_MESSAGE:
            self._refuse(f"messages have at most {MAX_MESSAGE} bytes, and {len(message)} were given")
        return self._sign(message, self._recipes[scheme])

    def _sign(self, data: bytes, recipe: Recipe) -> bytes:
        connection = self._require_open()
        prepared = recipe.prepare(data)
        raw = connection.run(lambda pooled: self._call(pooled, prepared, recipe, connection))
        try:
            return encode_signature(raw, self._key.public_key)
        except ValueError as error:
            reason = display(error)
        message = f"{self._subject}: the token returned {reason}, which is no signature by this key"
        raise WrongSignatureError(message)

    def _call(self, pooled: PooledSession, data: bytes, recipe: Recipe, connection: Connection) -> bytes:
        handle = handle_in(pooled, self._key, self._subject)
        if not self._key.always_authenticate:
            return self._sign_with(handle, data, recipe, None)
        # One at a time: a PIN that one thread has just seen refused must not be on its way from another.
        with connection.pin_at_signing:
            return self._sign_with(handle, data, recipe, self._pin_for_signature(connection))

    def _sign_with(self, handle: PrivateKey, data: bytes, recipe: Recipe, pin: str | None) -> bytes:
        try:
            return bytes(handle.sign(data, mechanism=recipe.mechanism, mechanism_param=recipe.parameters, pin=pin))  # type: ignore[attr-defined] # the class is made when the key is found
        except WRONG_PINS:
            if pin is not None:
                self._context.rejected(self._require_open().request)
            raise

    def _pin_for_signature(self, connection: Connection) -> str:
        """Return the PIN for a key that wants it at each signature (CKA_ALWAYS_AUTHENTICATE)."""
        request = as_it_stands(connection.request, connection.token.flags)
        if request.at_token:
            self._refuse("the key wants its PIN at every signature, which python-pkcs11 cannot ask for at a PIN pad")
        return self._context.secret(request)

    def _require_open(self) -> Connection:
        if self._connection is None:
            message = f"{self._subject}: the key was closed"
            raise CustodyError(message, remedy="open it again")
        return self._connection

    def _refuse(self, reason: str) -> NoReturn:
        message = f"{self._subject}: {reason}"
        raise UnsupportedError(message)


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what logs in when it is entered, and logs out when it is left by the last. Raises ConfigurationError."""
    return _open(parse_in_run(reference, context), context)


@contextmanager
def _open(reference: Pkcs11Reference, context: BackendContext) -> Iterator[Pkcs11Signer]:
    with connected(reference, context) as connection:
        signer = connection.run(lambda pooled: _find(pooled, reference, connection, context))
        try:
            yield signer
        finally:
            signer.close()


def _find(
    pooled: PooledSession, reference: Pkcs11Reference, connection: Connection, context: BackendContext
) -> Pkcs11Signer:
    subject = display(reference.text)
    key = find_key(pooled.session, reference)
    offered = connection.token.handle.slot.get_mechanisms()
    recipes = recipes_for(key.public_key, offered, key.allowed, subject=subject)
    chain: Sequence[Certificate] = ()
    if not ignores_certificates(context.environ):
        chain = read_chain(pooled.session, key.id, key.public_key, subject=subject)
    return Pkcs11Signer(connection, key, recipes=recipes, certificates=chain, context=context)
