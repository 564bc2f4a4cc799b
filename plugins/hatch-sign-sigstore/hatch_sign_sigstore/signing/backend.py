"""Opens references of the scheme ``sigstore``: finds the instance, gets a token, and has the identity certified."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign_sigstore.signing.reference import parse_sigstore_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract import BackendContext, BundleSigner, SecretRequest, Symptom
    from hatch_sign_sigstore.signing.reference import SigstoreReference

_ATTEMPTS = 4
_LONGEST_CALL = 30.0
"""Seconds for one attempt; a log of version 2 answers after up to ten."""


class SigstoreBackend:
    """A :class:`~hatch_sign.contract.BundleBackend`."""

    name = "sigstore"
    uri_schemes: Sequence[str] = ("sigstore",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[BundleSigner]:
        """Return what gets a token and a certificate when it is entered. Raises ConfigurationError."""
        return _opened(parse_sigstore_reference(reference), context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Yield what can be seen of the instance and of the token without asking anybody."""
        from hatch_sign_sigstore.signing.diagnosis import diagnose  # noqa: PLC0415 - where it is asked for only

        yield from diagnose(parse_sigstore_reference(reference), context.environ)


@contextmanager
def _opened(reference: SigstoreReference, context: BackendContext) -> Iterator[BundleSigner]:
    # All of it imports sigstore-python, which costs 240 ms.
    from hatch_sign_sigstore.signing.instance import classify_tuf, load_instance  # noqa: PLC0415 - as above
    from hatch_sign_sigstore.signing.patience import Patience  # noqa: PLC0415 - as above
    from hatch_sign_sigstore.signing.quiet import silenced_logs  # noqa: PLC0415 - as above
    from hatch_sign_sigstore.signing.services import Services  # noqa: PLC0415 - as above
    from hatch_sign_sigstore.signing.signer import KeylessSigner  # noqa: PLC0415 - as above
    from hatch_sign_sigstore.signing.tokens import TokenSource, classify_provider  # noqa: PLC0415 - as above

    def stopped() -> bool:
        return context.stopped

    limits = NetworkLimits(total=reference.timeout, attempts=_ATTEMPTS)
    patience = Patience(min(_LONGEST_CALL, reference.timeout), stopped=stopped)
    tuf = ServiceCaller("the TUF repository", reference.name, classify_tuf, limits, stopped=stopped)
    provider = ServiceCaller(
        "the build's provider of identities", reference.name, classify_provider, limits, stopped=stopped
    )
    with silenced_logs():
        try:
            # The token first: what is wrong with it is known without a network; the instance is for people's browsers only.
            instance = cache(lambda: load_instance(reference, tuf, patience))
            tokens = TokenSource(
                reference,
                context.environ,
                caller=provider,
                patience=patience,
                oidc_url=lambda: instance().oidc_url(),
            )
            token = tokens.fetch()
            services = Services(instance(), name=reference.name, limits=limits, patience=patience, stopped=stopped)
            signer = KeylessSigner(reference.name, services, tokens, token, concurrency=context.max_concurrency)
            yield signer
        finally:
            patience.close()
