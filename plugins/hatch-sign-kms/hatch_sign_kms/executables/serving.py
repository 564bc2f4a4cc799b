"""``sigstore-kms-hatchsign``: any key of hatch-sign, lent to cosign and to whatever else speaks the protocol.

``cosign sign-blob --key hatchsign://REFERENCE`` signs with the key that REFERENCE names here: ``pkcs11:token=release``, say.
It opens no key of another executable.
"""

from __future__ import annotations

import hashlib
import os
import sys
from typing import IO, TYPE_CHECKING

from hatch_sign.keys import Keys
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, RejectedError, UnsupportedError, UsageError
from hatch_sign.values.public_keys import encode_public_key_pem, verify_digest, verify_message
from hatch_sign_kms.executables import answers
from hatch_sign_kms.executables.calls import VERSION, parse_call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_kms.executables.calls import Call

DEFAULT_ALGORITHM = KeyAlgorithm.ECDSA_P256
"""What ``cosign generate-key-pair --kms`` makes: the kind that every verifier of bundles accepts."""

LARGEST_MESSAGE = 2**20
"""Bytes of a message that the key is to have whole, as Ed25519 does; what is hashed here may be of any size."""


def main() -> int:
    """Answer the one call that the command line holds, and return the exit status, which nobody looks at."""
    answer, status = serve(sys.argv[1:], sys.stdin.buffer, os.environ)
    sys.stdout.buffer.write(answer)
    return status


def serve(arguments: Sequence[str], message: IO[bytes], environ: Mapping[str, str]) -> tuple[bytes, int]:
    """Return the answer to a call, and 0; or the answer that is an error, and 1. Never raises."""
    try:
        return _Server(_parse(arguments), message, environ).answer(), 0
    except HatchSignError as error:
        return answers.encode_error(str(error)), 1
    except Exception as error:  # noqa: BLE001 - whoever called reads standard output, and nothing but an answer
        return answers.encode_error(f"hatch-sign failed: {type(error).__name__}"), 1


def _parse(arguments: Sequence[str]) -> Call:
    if len(arguments) != 2 or arguments[0] != VERSION:  # noqa: PLR2004 - the version, and the call
        message = f"this program is run by cosign, as `sigstore-kms-hatchsign {VERSION} CALL`"
        raise UsageError(message, remedy="try `cosign sign-blob --key hatchsign://REFERENCE`, or `hatch-sign sign`")
    return parse_call(arguments[1])


class _Server:
    def __init__(self, call: Call, message: IO[bytes], environ: Mapping[str, str]) -> None:
        self._call = call
        self._message = message
        self._keys = Keys(environ, on_warning=_warn)

    def answer(self) -> bytes:
        methods: dict[str, Callable[[], bytes]] = {
            "createKey": self._create_key,
            "defaultAlgorithm": lambda: answers.encode_names("defaultAlgorithm", DEFAULT_ALGORITHM.value),
            "publicKey": self._public_key,
            "signMessage": self._sign,
            "supportedAlgorithms": self._algorithms,
            "verifySignature": self._verify,
        }
        if self._call.method not in methods:
            message = f"the method {display(self._call.method)} is none of {', '.join(methods)}"
            raise UnsupportedError(message)
        return methods[self._call.method]()

    def _public_key(self) -> bytes:
        with self._keys.open(self._call.key) as signer:
            return answers.encode_public_key_answer(encode_public_key_pem(signer.public_key))

    def _sign(self) -> bytes:
        with self._keys.open(self._call.key) as signer:
            scheme = self._scheme(signer.schemes)
            if scheme.hash is not None and signer.takes_digests(scheme):
                return answers.encode_signature(signer.sign_digest(self._digest(scheme.hash), scheme))
            return answers.encode_signature(signer.sign(self._whole_message(scheme), scheme))

    def _verify(self) -> bytes:
        with self._keys.open(self._call.key) as signer:
            if not self._is_valid(signer.public_key, self._scheme(signer.schemes)):
                message = f"{display(signer.reference)}: this is not a signature by this key"
                raise RejectedError(message)
        return answers.encode_done("verifySignature")

    def _is_valid(self, key: PublicKey, scheme: Scheme) -> bool:
        if scheme.hash is None:
            return verify_message(key, self._call.signature, self._read(), scheme)
        return verify_digest(key, self._call.signature, self._digest(scheme.hash), scheme)

    def _algorithms(self) -> bytes:
        names = [kind.value for kind in self._keys.algorithms(self._call.key)]
        return answers.encode_names("supportedAlgorithms", names)

    def _create_key(self) -> bytes:
        call = self._call
        algorithm = next((kind for kind in self._keys.algorithms(call.key) if kind.value == call.algorithm), None)
        if algorithm is None:
            message = f"{display(call.key)}: no {display(call.algorithm)} key can be made here"
            raise UnsupportedError(message)
        public_key = self._keys.generate(call.key, algorithm)
        return answers.encode_public_key_answer(encode_public_key_pem(public_key), method="createKey")

    def _scheme(self, schemes: Sequence[Scheme]) -> Scheme:
        # Callers name a hash for every key; an Ed25519 key signs the message, unless it was hashed already.
        if schemes == (Scheme.ED25519,) and not self._call.digest:
            return Scheme.ED25519
        for scheme in schemes:
            if scheme.hash is not None and scheme.hash == self._call.hash_name and scheme.family != "rsa-pss":
                return scheme
        offered = ", ".join(scheme.label for scheme in schemes)
        message = (
            f"{display(self._call.key)}: the key does not sign a digest of {self._call.hash_name}; it signs by {offered}"
        )
        raise UnsupportedError(message)

    def _digest(self, hash_name: str) -> bytes:
        return self._call.digest or hashlib.file_digest(self._message, hash_name).digest()  # type: ignore[arg-type] # a pipe reads as a file does

    def _whole_message(self, scheme: Scheme) -> bytes:
        """Return the message for a key that hashes itself; cosign sends it along with its digest, and others may not."""
        message = self._read()
        if scheme.hash is not None and self._call.digest not in {b"", hashlib.new(scheme.hash, message).digest()}:
            text = f"{display(self._call.key)}: the key hashes messages itself, and was sent a digest alone"
            raise UnsupportedError(text)
        return message

    def _read(self) -> bytes:
        message = self._message.read(LARGEST_MESSAGE + 1)
        if len(message) > LARGEST_MESSAGE:
            text = f"{display(self._call.key)}: the key signs messages of at most {LARGEST_MESSAGE} bytes"
            raise UnsupportedError(text, remedy="use a key that signs digests")
        return message


def _warn(message: str) -> None:
    sys.stderr.write(f"sigstore-kms-hatchsign: {message}\n")
