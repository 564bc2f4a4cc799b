"""The kind of rule ``identity``: what its settings mean. Imports nothing of Sigstore before a rule is parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign_sigstore.identity.rule import IdentityRule

_WHOLE_ADDRESS = "write its whole address, such as `https://token.actions.githubusercontent.com`"
IDENTITY, PATTERN, ISSUER, ROOT = "identity", "identity-pattern", "issuer", "trusted-root"


class IdentityKind:
    """Rules with ``identity`` or ``identity-pattern``, always with ``issuer``, and perhaps ``trusted-root``.

    ``identity`` is the whole subject alternative name of the Fulcio certificate; ``identity-pattern`` may hold ``*`` after
    its last ``@``. ``issuer`` is the whole address of the OpenID Connect issuer. ``trusted-root`` is ``production`` (also
    where it is left out), ``staging``, or a file, a trusted root or a client trust configuration of Sigstore, or its JSON.
    """

    name = "identity"
    selector = frozenset({IDENTITY, PATTERN})
    settings: Mapping[str, type] = MappingProxyType({IDENTITY: str, PATTERN: str, ISSUER: str, ROOT: str})

    def parse(self, table: Mapping[str, Any], read: Callable[[str], bytes]) -> IdentityRule:
        """Return the rule. Raises ConfigurationError, or MalformedError for a file that is no trusted root."""
        from hatch_sign_sigstore.identity.matching import exact_identity, identity_pattern  # noqa: PLC0415 - to list needs none
        from hatch_sign_sigstore.identity.rule import IdentityRule  # noqa: PLC0415 - 400 ms of imports
        from hatch_sign_sigstore.identity.trusted_roots import load_trusted_root  # noqa: PLC0415 - as above

        if ISSUER not in table:
            message = "lacks `issuer`: without it, any issuer could vouch for somebody of that name"
            raise ConfigurationError(message, remedy=_WHOLE_ADDRESS)
        if IDENTITY in table and PATTERN in table:
            message = "has both `identity` and `identity-pattern`"
            raise ConfigurationError(message, remedy="write a rule for each")
        matcher = exact_identity(table[IDENTITY]) if IDENTITY in table else identity_pattern(table[PATTERN])
        if not table[ISSUER].lower().startswith(("https://", "http://")):
            message = f"`issuer` is {display(table[ISSUER])}, which is no address, and so nobody's issuer"
            raise ConfigurationError(message, remedy=_WHOLE_ADDRESS)
        return IdentityRule(matcher, table[ISSUER], load_trusted_root(table.get(ROOT, "production"), read))
