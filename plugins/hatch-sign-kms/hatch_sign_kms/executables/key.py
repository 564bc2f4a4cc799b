"""A key behind an executable."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.remote import Exposure, KeyFacts, open_remote_key, parse_public_key_pem, service_protection
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.public_keys import schemes_of_key
from hatch_sign_kms.executables import answers
from hatch_sign_kms.executables.asking import find
from hatch_sign_kms.executables.calls import Call
from hatch_sign_kms.executables.references import parse_executable_reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.protection import Protection
    from hatch_sign_kms.executables.asking import Executable
    from hatch_sign_kms.executables.references import ExecutableReference

MAX_MESSAGE = 2**20
"""Bytes of the longest message for Ed25519: the protocol has no limit, and statements need no more."""


class ExecutableKey:
    """One key of one executable.

    The protocol names no version of a key: one that is rotated during a run shows by signatures that do not verify under the
    public key of its beginning. Nor does it name a padding: PKCS#1 v1.5 is asked for, as by cosign, and PSS cannot be.
    """

    def __init__(self, executable: Executable, key: str) -> None:
        """Name the key that `executable` knows as `key`; nothing is run yet."""
        self._executable = executable
        self._key = key

    def describe(self) -> KeyFacts:
        """Return the public key, and all schemes of it that the protocol can ask for."""
        pem = self._executable.ask(Call("publicKey", self._key), answers.parse_public_key_answer)
        key = parse_public_key_pem(pem, self._executable.caller)
        schemes = tuple(scheme for scheme in schemes_of_key(key) if scheme.family != "rsa-pss")
        return KeyFacts(key, schemes, max_message=MAX_MESSAGE if Scheme.ED25519 in schemes else 0)

    def protection(self) -> Protection:
        """Return software: the protocol says nothing of it, so that nobody vouches for more."""
        service = self._executable.caller.service
        claims = {"executable": self._executable.path}
        return service_protection(
            f"behind {service}", claims, service=service, plain_channel=False, exposure=Exposure.UNSAID
        )

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`."""
        return self._executable.ask(Call("signMessage", self._key, scheme.hash, digest), answers.parse_signature)

    def sign_message(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over `message`."""
        return self._executable.ask(Call("signMessage", self._key, None), answers.parse_signature, message)


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what asks the executable for the public key when it is entered. Raises ConfigurationError."""
    parsed = parse_executable_reference(reference)
    return open_remote_key(lambda: _found(parsed, context), subject=parsed.text, context=context)


@contextmanager
def _found(reference: ExecutableReference, context: BackendContext) -> Iterator[ExecutableKey]:
    yield ExecutableKey(find(reference, context.environ, stopped=lambda: context.stopped), reference.key)
