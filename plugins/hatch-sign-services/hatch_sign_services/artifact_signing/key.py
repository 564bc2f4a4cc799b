"""The key of a certificate profile: submit a digest, then ask until the signature is there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.formats.strict_json import encode_base64, encode_json_text
from hatch_sign.remote import Failure, FailureKind, KeyFacts, service_protection
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CredentialRotatedError, MalformedError, UnsupportedError
from hatch_sign.values.public_keys import as_public_key, describe_key, schemes_of_key
from hatch_sign_services.artifact_signing.answers import PENDING, Operation, Signed, parse_chain, parse_operation
from hatch_sign_services.artifact_signing.translate import PERMISSION
from hatch_sign_services.translate import classify_submission, retry_after

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.protection import Protection
    from hatch_sign_services.artifact_signing.references import ArtifactSigningReference
    from hatch_sign_services.artifact_signing.tokens import Tokens
    from hatch_sign_services.client import HttpsClient, Reply

API_VERSION = "2022-06-15-preview"
"""The version that Microsoft's own clients speak, though a later one is published."""

ALGORITHMS = {
    Scheme.RSA_PKCS1_SHA256: "RS256",
    Scheme.RSA_PKCS1_SHA384: "RS384",
    Scheme.RSA_PKCS1_SHA512: "RS512",
    Scheme.RSA_PSS_SHA256: "PS256",
    Scheme.RSA_PSS_SHA384: "PS384",
    Scheme.RSA_PSS_SHA512: "PS512",
}
"""Schemes by the names of the service (RFC 7518 §3.1). It issues RSA keys only."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_OPERATION = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
_FAILURES = {
    "failed": Failure(FailureKind.INVALID, "Failed", "could not make the signature", "see the sign logs of the account"),
    "timedout": Failure(FailureKind.UNAVAILABLE, "TimedOut", "did not make the signature in its own time"),
    "notfound": Failure(FailureKind.MALFORMED, "NotFound", "does not know of the signature that it was asked for"),
}
_LATE = Failure(FailureKind.UNAVAILABLE, found="did not finish the signature in time")

_GIVEN_UP = Failure(FailureKind.UNAVAILABLE, found="had not finished the signature when the run was given up")


class ArtifactSigningKey:
    """A certificate profile. Its key and certificate change every day; each signature comes with that which made it."""

    def __init__(
        self, reference: ArtifactSigningReference, client: HttpsClient, caller: ServiceCaller, tokens: Tokens
    ) -> None:
        """Ask by `client`, logged in by `tokens`; nothing is asked yet."""
        self._reference = reference
        self._client = client
        self._caller = caller
        self._submitter = replace(caller, classify=classify_submission(caller.classify))
        self._tokens = tokens
        self._leaf: Certificate | None = None

    def describe(self) -> KeyFacts:
        """Return the key and the chain that the profile has now, for which nothing has to be signed."""
        reply = self._ask("/sign/certchain", accept="application/pkcs7-mime")
        try:
            chain = parse_chain(reply.body)
        except MalformedError as error:
            self._caller.reject_answer(f"sent no chain of certificates: {error.message}")
        key = as_public_key(chain[0].public_key(), subject=self._reference.text)
        schemes = tuple(scheme for scheme in schemes_of_key(key) if scheme in ALGORITHMS)
        if not schemes:
            message = (
                f"{self._reference.text}: the profile has a key of kind {describe_key(key)}, and signatures are RSA here"
            )
            raise UnsupportedError(message)
        self._leaf = chain[0]
        return KeyFacts(key, schemes, certificates=chain, needs_timestamp=True)

    def protection(self) -> Protection:
        """Return what Azure says of all keys of the service."""
        claims = {"account": self._reference.account, "certificate-profile": self._reference.profile}
        return service_protection("in an HSM", claims, service=self._caller.service, plain_channel=False)

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`. Raises CredentialRotatedError where another certificate made it."""
        request = {"signatureAlgorithm": ALGORITHMS[scheme], "digest": encode_base64(digest)}
        signed = self._await(self._submit(encode_json_text(request)))
        if signed.chain[0] != self._leaf:
            message = f"{self._reference.text}: the service signed with another certificate than it announced"
            raise CredentialRotatedError(message, remedy="repeat the signature with the new certificate")
        return signed.signature

    def sign_message(self, message: bytes) -> bytes:
        """Refuse: the service signs digests only."""
        text = f"{self._reference.text}: a message of {len(message)} bytes is to be signed; the service signs digests"
        raise UnsupportedError(text)

    def _await(self, reply: Reply) -> Signed:
        timing, operation, pause = self._caller.timing, self._parse(reply), _FIRST_PAUSE
        ends = timing.clock() + self._caller.limits.total
        path = f"/sign/{operation.id}"
        while operation.signed is None:
            if operation.status not in PENDING:
                self._refuse(operation)
            # A service that asks for no patience at all is asked no more often for it.
            pause = min(pause * 2, _LONGEST_PAUSE)
            wait = max(pause, retry_after(reply) or 0.0)
            if timing.clock() + wait >= ends:
                raise self._caller.error(_LATE)
            if not self._caller.slept(wait):
                raise self._caller.error(_GIVEN_UP)
            reply = self._ask(path)
            operation = self._parse(reply)
        return operation.signed

    def _parse(self, reply: Reply) -> Operation:
        try:
            operation = parse_operation(reply.body)
        except MalformedError as error:
            self._caller.reject_answer(f"gave no answer of its interface: {error.message}")
        if operation.signed is None and not _OPERATION.match(operation.id):
            self._caller.reject_answer("does not say how to ask for the signature")
        return operation

    def _refuse(self, operation: Operation) -> NoReturn:
        failure = _FAILURES.get(operation.status)
        if failure is None:
            self._caller.reject_answer("gave the signature a state that is not one of its interface")
        raise self._caller.error(failure)

    def _submit(self, body: bytes) -> Reply:
        return self._submitter.call(lambda: self._request("POST", "/sign", body), permission=PERMISSION, repeatable=False)

    def _ask(self, path: str, *, accept: str = "application/json") -> Reply:
        return self._caller.call(lambda: self._request("GET", path, accept=accept), permission=PERMISSION)

    def _request(self, method: str, path: str, body: bytes | None = None, *, accept: str = "application/json") -> Reply:
        address = f"{self._reference.path}{path}?api-version={API_VERSION}"
        headers = {"Accept": accept, "Content-Type": "application/json", "Authorization": self._tokens.bearer()}
        return self._client.request(method, address, headers, body)
