"""What can be said of a module, a token and a key without logging in, in the order in which opening the key meets it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkcs11 import Attribute, ObjectClass, TokenFlag

from hatch_sign.contract.backends import Symptom
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError, UnsupportedError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_pkcs11.certificates import read_chain
from hatch_sign_pkcs11.connecting import parse_in_run
from hatch_sign_pkcs11.keys import answering, read_identity, read_public_key
from hatch_sign_pkcs11.loaded import using_module
from hatch_sign_pkcs11.login import as_it_stands, open_session, secret_request
from hatch_sign_pkcs11.mechanisms import name_mechanism, recipes_for, signing_mechanisms
from hatch_sign_pkcs11.modules import find_module
from hatch_sign_pkcs11.references import ignores_certificates
from hatch_sign_pkcs11.searching import search
from hatch_sign_pkcs11.slots import select_token
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs11 import Session

    from hatch_sign.contract.backends import BackendContext, SecretRequest
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_pkcs11.loaded import LoadedModule
    from hatch_sign_pkcs11.references import Pkcs11Reference
    from hatch_sign_pkcs11.slots import PresentToken

_LOOK_INSIDE = "look again with --log-in: many tokens show their keys after a login only"


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none."""
    parsed = parse_in_run(reference, context)
    subject = "module"
    try:
        location = find_module(parsed, context.environ)
        with using_module(location.path) as module:
            yield _of_module(module, location.origin)
            subject = "token"
            with module.calling(), translated(parsed.text):
                token = select_token(parsed, module)
                seen = [*_of_token(token, parsed), _of_mechanisms(token)]
                seen += _of_what_is_shown(token, parsed, context)
            yield from _until_failure(seen)
    except ConfigurationError:
        raise
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)


def _until_failure(seen: list[Symptom | SecretRequest]) -> Iterator[Symptom | SecretRequest]:
    for each in seen:
        yield each
        if isinstance(each, Symptom) and each.status == "failure":
            return


def _of_module(module: LoadedModule, origin: str) -> Symptom:
    library = module.library
    made_by = display(f"{library.library_description} by {library.manufacturer_id}")
    found = f"{display(module.path)} ({display(origin)}): {made_by}"
    if module.takes_threads:
        return Symptom("ok", "module", found)
    return Symptom("warning", "module", f"{found}; it takes no threads", "nothing: it is called by one thread at a time")


def _of_token(token: PresentToken, reference: Pkcs11Reference) -> Iterator[Symptom | SecretRequest]:
    yield Symptom("ok", "token", f"{display(token.facts.describe())}, firmware {display(token.firmware)}")
    flags = token.flags
    request = secret_request(token, reference)
    if not flags & TokenFlag.LOGIN_REQUIRED:
        yield Symptom("ok", "PIN", "the token wants none")
    elif flags & TokenFlag.USER_PIN_LOCKED:
        remedy = "unlock it with its security officer's PIN and the vendor's tool"
        yield Symptom("failure", "PIN", "it is locked after too many wrong tries", remedy)
    else:
        yield from _of_pin(flags)
        yield as_it_stands(request, flags)


def _of_pin(flags: TokenFlag) -> Iterator[Symptom]:
    if not flags & TokenFlag.USER_PIN_INITIALIZED:
        yield Symptom("warning", "PIN", "the token says that it has none yet", "set one with the vendor's tool")
    if flags & TokenFlag.USER_PIN_COUNT_LOW and not flags & TokenFlag.USER_PIN_FINAL_TRY:
        yield Symptom("warning", "PIN", "a wrong one was entered since the last login", "make sure of it")
    if flags & TokenFlag.USER_PIN_TO_BE_CHANGED:
        yield Symptom("warning", "PIN", "the token wants it changed", "change it with the vendor's tool")


def _of_mechanisms(token: PresentToken) -> Symptom:
    usable = sorted(name_mechanism(each) for each in signing_mechanisms(token.handle.slot.get_mechanisms()))
    if usable:
        return Symptom("ok", "mechanisms", ", ".join(usable))
    remedy = "use another token, or ask its vendor for CKM_ECDSA or CKM_RSA_PKCS"
    return Symptom("failure", "mechanisms", "the token offers none that signs a release", remedy)


def _of_what_is_shown(token: PresentToken, reference: Pkcs11Reference, context: BackendContext) -> list[Symptom]:
    try:
        with translated(reference.text), closing(open_session(token)) as session:
            return list(_of_objects(session, token, reference, context))
    except HatchSignError as error:
        return [Symptom("failure", "key", error.message, error.remedy)]


def _of_objects(
    session: Session, token: PresentToken, reference: Pkcs11Reference, context: BackendContext
) -> Iterator[Symptom]:
    """Yield what the token shows of the key before a login: its public half, and its certificate."""
    shown = search(session, {Attribute.CLASS: ObjectClass.PUBLIC_KEY})
    chosen = answering(shown, reference)
    if len(chosen) != 1:
        found = f"{len(chosen) or 'no'} public key{'s' * (len(chosen) != 1)} of it can be seen without a login"
        yield Symptom("warning", "key", found, _LOOK_INSIDE)
        return
    label, key_id = read_identity(chosen[0])
    try:
        public_key = read_public_key(chosen[0], display(reference.text))
        if public_key is None:
            yield Symptom("warning", "key", "its public half cannot be seen without a login", _LOOK_INSIDE)
            return
        recipes = recipes_for(public_key, token.handle.slot.get_mechanisms(), (), subject=display(reference.text))
    except UnsupportedError as error:
        yield Symptom("failure", "key", error.message, error.remedy)
        return
    named = f"{display(label)} ({describe_key(public_key)}, id {key_id.hex() or 'none'})"
    yield Symptom("ok", "key", f"{named} signs by {', '.join(scheme.label for scheme in recipes)}")
    if not ignores_certificates(context.environ):
        yield _of_certificate(session, key_id, public_key, reference)


def _of_certificate(session: Session, key_id: bytes, public_key: PublicKey, reference: Pkcs11Reference) -> Symptom:
    try:
        chain = read_chain(session, key_id, public_key, subject=display(reference.text))
    except HatchSignError as error:
        return Symptom("failure", "certificate", error.message, error.remedy)
    if not chain:
        return Symptom("ok", "certificate", "the token shows none for this key")
    leaf = chain[0]
    named = f"{display(describe_subject(leaf))}, until {leaf.not_valid_after_utc:%Y-%m-%d}"
    if leaf.not_valid_after_utc < datetime.now(UTC):
        return Symptom("warning", "certificate", f"{named}: it has expired", "have it renewed, then import the new one")
    return Symptom("ok", "certificate", f"{named}, with {len(chain) - 1} of its issuers")
