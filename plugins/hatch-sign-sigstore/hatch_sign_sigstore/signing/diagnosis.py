"""What lies between a reference and its identity, as far as it can be seen without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Symptom
from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign_sigstore.signing.instance import classify_tuf, load_instance
from hatch_sign_sigstore.signing.patience import Patience
from hatch_sign_sigstore.signing.tokens import (
    PROVIDERS,
    TokenSource,
    classify_provider,
    configured_origin,
    person_is_there,
    require_permission,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign_sigstore.signing.reference import SigstoreReference

_REMEDY = "set HATCH_SIGN_IDENTITY_TOKEN, name a `token-source`, or sign in a build that has an identity"


def diagnose(reference: SigstoreReference, environ: Mapping[str, str]) -> Iterator[Symptom]:
    """Yield the instance, and where the token would come from."""
    yield _instance(reference)
    yield _token(reference, environ)


def _instance(reference: SigstoreReference) -> Symptom:
    if reference.trust_config is None:
        where = reference.instance or ("the public instance for trying out" if reference.staging else "the public instance")
        return Symptom("ok", "instance", f"{display(where)}, which its TUF repository describes; it was not asked")
    limits = NetworkLimits(attempts=1)
    caller = ServiceCaller("the TUF repository", reference.name, classify_tuf, limits)
    instance = load_instance(reference, caller, Patience(limits.read, stopped=lambda: False))
    return Symptom("ok", "instance", f"{display(instance.services.get_fulcio().url)}, of {display(reference.trust_config)}")


def _token(reference: SigstoreReference, environ: Mapping[str, str]) -> Symptom:
    subject = "identity token"
    try:
        origin = configured_origin(reference, environ)
        if origin is not None:
            token = _source(reference, environ).fetch()
            return Symptom("ok", subject, f"{origin.label}, of {display(token.issuer)}")
        require_permission(environ, reference.name)
    except HatchSignError as error:
        return Symptom("failure", subject, error.message.removeprefix(f"{reference.name}: "), error.remedy)
    provider = next((each for variable, each in PROVIDERS.items() if environ.get(variable)), "")
    if provider:
        return Symptom("ok", subject, f"{provider} will be asked for one")
    if person_is_there():
        return Symptom("warning", subject, "there is none: a browser will be opened", _REMEDY)
    return Symptom("failure", subject, "there is none, and no terminal from which to open a browser", _REMEDY)


def _source(reference: SigstoreReference, environ: Mapping[str, str]) -> TokenSource:
    """Return what reads the configured token; nobody is asked for it."""
    caller = ServiceCaller("the provider", reference.name, classify_provider)
    patience = Patience(0.0, stopped=lambda: False)
    return TokenSource(reference, environ, caller=caller, patience=patience, oidc_url=str)
