"""``--identity-token``: where the token of an identity is, put into the references that name identities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from hatch_sign.values.errors import UsageError

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.registry import Registry

_SETTING = "token-source"


def with_token_source(configuration: Configuration, source: str, registry: Registry) -> Configuration:
    """Return the configuration with `source`, ``env:NAME`` or ``file:PATH``, in each reference that names an identity.

    Raises UsageError for anything else, without repeating it, and where no signature is by an identity.
    """
    kind, _, rest = source.partition(":")
    if kind not in {"env", "file"} or not rest:
        message = "--identity-token takes env:NAME or file:PATH, and never the token, which process lists would show"
        raise UsageError(message, remedy="put the token into an environment variable or a file, and name that")
    by_identity = [settings for settings in configuration.signatures if registry.signs_bundles(settings.key)]
    if not by_identity:
        message = "--identity-token is given, and nothing is signed by an identity"
        raise UsageError(message, remedy="give --key sigstore: as well, or leave it out")
    signatures = tuple(
        replace(settings, key=_with_source(settings.key, source)) if settings in by_identity else settings
        for settings in configuration.signatures
    )
    return replace(configuration, signatures=signatures)


def _with_source(reference: str, source: str) -> str:
    name, _, query = reference.partition("?")
    others = [part for part in query.split("&") if part and part.partition("=")[0] != _SETTING]
    others.append(f"{_SETTING}={quote(source, safe=':/')}")
    return f"{name}?{'&'.join(others)}"
