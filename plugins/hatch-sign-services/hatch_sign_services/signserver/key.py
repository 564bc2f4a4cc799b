"""The key of a worker: Plain Signer, hashed by the client."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.formats.strict_json import as_object, decode_base64, encode_base64, encode_json_text, field, parse_json
from hatch_sign.formats.strict_json import optional_field as optional
from hatch_sign.remote import (
    Exposure,
    KeyFacts,
    NetworkLimits,
    ServiceCaller,
    open_remote_key,
    pool_size,
    service_protection,
)
from hatch_sign.values.errors import MalformedError, SecretRejectedError, UnsupportedError
from hatch_sign_services.client import HttpsClient
from hatch_sign_services.signserver.announcing import announced_facts
from hatch_sign_services.signserver.login import basic_login, client_tls
from hatch_sign_services.signserver.references import parse_signserver_reference
from hatch_sign_services.signserver.translate import classify
from hatch_sign_services.translate import classify_submission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from cryptography.x509 import Certificate

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.protection import Protection
    from hatch_sign_services.signserver.login import BasicLogin
    from hatch_sign_services.signserver.references import SignServerReference

SERVICE = "SignServer"

_HASHES = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_LARGEST_VALUE = 64 << 10


class SignServerKey:
    """One worker, whose key is known from the configuration."""

    def __init__(
        self,
        reference: SignServerReference,
        client: HttpsClient,
        caller: ServiceCaller,
        login: BasicLogin | None,
        context: BackendContext,
    ) -> None:
        """Ask by `client`; nothing is asked yet."""
        self._reference = reference
        self._client = client
        self._caller = replace(caller, classify=classify_submission(caller.classify))
        self._login = login
        self._context = context
        self._chain: Sequence[Certificate] = ()
        self._accepted = False
        self._first = threading.Lock()

    def describe(self) -> KeyFacts:
        """Return the key that the configuration says the worker has; SignServer is not asked."""
        facts = announced_facts(self._reference)
        self._chain = facts.certificates
        return facts

    def protection(self) -> Protection:
        """Return software: the worker may have an HSM, and its interface does not say so."""
        claims = {"worker": self._reference.text}
        return service_protection(
            "behind a worker", claims, service=self._caller.service, plain_channel=False, exposure=Exposure.UNSAID
        )

    def sign_digest(self, digest: bytes, scheme: Scheme) -> bytes:
        """Return the signature over `digest`."""
        metadata = {"USING_CLIENTSUPPLIED_HASH": "true", "CLIENTSIDE_HASHDIGESTALGORITHM": _HASHES[str(scheme.hash)]}
        request = {"data": encode_base64(digest), "encoding": "BASE64", "metaData": metadata}
        return self._ask(encode_json_text(request))

    def sign_message(self, message: bytes) -> bytes:
        """Refuse: no key of a worker is lent for messages."""
        text = f"{self._reference.text}: a message of {len(message)} bytes is to be signed; the worker signs digests"
        raise UnsupportedError(text)

    def _ask(self, body: bytes) -> bytes:
        # A wrong password must not be tried by every thread at once, or the account is locked: the first call goes alone.
        if not self._accepted:
            with self._first:
                if not self._accepted:
                    signature = self._process(body)
                    self._accepted = True
                    return signature
        return self._process(body)

    def _process(self, body: bytes) -> bytes:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Keyfactor-Requested-With": "hatch-sign",
            **({"Authorization": self._login.header()} if self._login else {}),
        }
        try:
            reply = self._caller.call(
                lambda: self._client.request("POST", self._reference.process, headers, body), repeatable=False
            )
        except SecretRejectedError:
            if self._login:
                self._login.rejected()
            raise
        return self._parse(reply.body)

    def _parse(self, body: bytes) -> bytes:
        try:
            answer = as_object(parse_json(body, subject="the answer"), at="the answer")
            signature = decode_base64(field(answer, "data", str, at="the answer"), at="data", longest=_LARGEST_VALUE)
            encoded = optional(answer, "signerCertificate", str, "", at="the answer")
            certificate = decode_base64(encoded, at="signerCertificate", longest=_LARGEST_VALUE) if encoded else b""
        except MalformedError as error:
            self._caller.reject_answer(f"gave no answer of its REST interface: {error.message}")
        if certificate and self._chain:
            self._compare(certificate)
        return signature

    def _compare(self, der: bytes) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - with certificates only

        if der != self._chain[0].public_bytes(Encoding.DER):
            text = f"{self._reference.text}: the worker has another certificate than {self._reference.certificate}"
            self._context.warn(f"{text}: fetch the new chain")


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what reads certificate and credentials when it is entered. Raises ConfigurationError."""
    parsed = parse_signserver_reference(reference)
    return open_remote_key(lambda: _connected(parsed, context), subject=parsed.text, context=context)


@contextmanager
def _connected(reference: SignServerReference, context: BackendContext) -> Iterator[SignServerKey]:
    login = basic_login(reference, context)
    tls = client_tls(reference, context, password_is_basic=login is not None)
    if login is not None:
        login.header()  # a person is asked here, and not from a thread in the middle of the run
    limits = NetworkLimits()
    client = HttpsClient(reference.origin, tls, context.environ, connections=pool_size(context), limits=limits)
    try:
        caller = ServiceCaller(SERVICE, reference.text, classify, limits, stopped=lambda: context.stopped)
        yield SignServerKey(reference, client, caller, login, context)
    finally:
        client.close()
