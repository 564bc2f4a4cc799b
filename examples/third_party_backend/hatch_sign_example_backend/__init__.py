"""A backend over private keys in encrypted PEM files, ``filekey:FOLDER/NAME.pem``; one passphrase for each folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hatch_sign.contract import Backend, BackendContext, SecretRequest, hookimpl
from hatch_sign.contract.references import parse_reference
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError, UnsupportedError
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign.values.public_keys import as_public_key, hash_algorithm, rsa_padding, schemes_of_key


class FileSigner:
    certificates = ()
    concurrency = 1
    protection = Protection(ProtectionLevel.SOFTWARE, "an encrypted PEM file")

    def __init__(self, key: Any, subject: str) -> None:
        self._key, self._subject = key, subject
        self.public_key = as_public_key(key.public_key(), subject=subject)
        self.schemes = schemes_of_key(self.public_key)
        self.max_message = 2**20 if Scheme.ED25519 in self.schemes else 0

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        key, algorithm = self._ready(scheme), utils.Prehashed(hash_algorithm(str(scheme.hash)))
        arguments = [rsa_padding(scheme), algorithm] if isinstance(key, rsa.RSAPrivateKey) else [ec.ECDSA(algorithm)]
        return bytes(key.sign(digest, *arguments))

    def sign_message(self, message: bytes) -> bytes:
        return bytes(self._ready(Scheme.ED25519).sign(message))

    def _ready(self, scheme: Scheme) -> Any:
        if self._key is None:
            raise CustodyError(f"{self._subject}: the key was closed")
        if scheme not in self.schemes:
            raise UnsupportedError(f"{self._subject}: the key does not sign by {scheme.label}")
        return self._key

    def close(self) -> None:
        self._key = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("the handle of a key is not copied")


class FileBackend:
    name = "filekey"
    uri_schemes = ("filekey",)

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[FileSigner]:
        parsed = parse_reference(reference)
        parsed.require_known()
        path = Path(unquote(parsed.path))
        if not path.is_file():
            raise KeyNotFoundError(f"{parsed.name}: there is no such file")
        request = SecretRequest("pin", f"the keys in {path.parent}", parsed.name, source=parsed.pin_source)
        try:
            signer = FileSigner(load_pem_private_key(path.read_bytes(), context.secret(request).encode()), parsed.name)
        except (ValueError, TypeError):  # `from None`: a library's exception may hold what it was given
            context.rejected(request)
            raise SecretRejectedError(f"{parsed.name}: this passphrase does not decrypt it") from None
        try:
            yield signer
        finally:
            signer.close()


@hookimpl
def hatch_sign_register_backend() -> Backend:
    return FileBackend()
