"""How the token is come by: as it is, or by logging in with an AppRole or a JWT. Nothing here remembers a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from hatch_sign.contract.backends import SecretRequest

if TYPE_CHECKING:
    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.vault.reference import VaultReference
    from hatch_sign_kms.vault.settings import VaultSettings


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in: the secret to ask the run for, and what it is.

    Without a `path` the secret is the token itself. Else it is sent to the auth method there, as the field `secret_field`
    beside the `fields`, and the token that comes back is revoked at the end.
    """

    request: SecretRequest
    path: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    secret_field: str = ""


def choose_login(reference: VaultReference, settings: VaultSettings) -> Login:
    """Return the login that is configured; the first of these wins, and nothing falls through to the next.

    The reference's ``pin-source``; ``VAULT_TOKEN``; AppRole by ``VAULT_ROLE_ID`` and ``VAULT_SECRET_ID``; JWT by
    ``VAULT_AUTH_ROLE`` and ``VAULT_ID_TOKEN`` or the file ``VAULT_ID_TOKEN_FILE``; the token that ``vault login`` left in
    ``VAULT_TOKEN_PATH`` or ``~/.vault-token``; whatever the run asks a person for.
    """
    if reference.pin_source is not None or settings.get("TOKEN"):
        return Login(_request(reference, settings, "TOKEN", source=reference.pin_source))
    if role := settings.get("ROLE_ID"):
        path = _auth_path(settings, "approle")
        return Login(_request(reference, settings, "SECRET_ID"), path, {"role_id": role}, "secret_id")
    if role := settings.get("AUTH_ROLE"):
        file = settings.get("ID_TOKEN_FILE")
        request = _request(reference, settings, "ID_TOKEN", source=f"file:{file}" if file else None)
        return Login(request, _auth_path(settings, "jwt"), {"role": role}, "jwt")
    stored = _stored_token(settings)
    return Login(_request(reference, settings, "TOKEN", source=f"file:{stored}" if stored else None))


def ask(login: Login, context: BackendContext) -> str:
    """Return the secret. Raises as the context does, and SecretUnavailableError for a file that holds none."""
    return context.secret(login.request).strip()


def _request(
    reference: VaultReference, settings: VaultSettings, variable: str, *, source: str | None = None
) -> SecretRequest:
    # The label tells servers, namespaces and kinds of secret apart: each is asked for, and refused, once in a run.
    space = f" in namespace {settings.get('NAMESPACE')}" if settings.get("NAMESPACE") else ""
    label = f"{settings.product} at {settings.address}{space} ({variable.lower().replace('_', ' ')})"
    return SecretRequest("token", label, reference.text, source=source, variables=(settings.name_of(variable),))


def _auth_path(settings: VaultSettings, default: str) -> str:
    return quote((settings.get("AUTH_PATH") or default).strip("/"))


def _stored_token(settings: VaultSettings) -> Path | None:
    named = settings.get("TOKEN_PATH")
    if named is None and settings.home is None:
        return None
    path = Path(named) if named else Path(str(settings.home), ".vault-token")
    return path.absolute() if path.is_file() else None
