"""The trust rule ``key``: whoever holds one key may vouch. A plugin module, cheap to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import Judgement, TrustKind, hookimpl
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from hatch_sign.contract import Material
    from hatch_sign.values.public_keys import PublicKey

SETTING = "public-key"


@hookimpl
def hatch_sign_register_trust() -> TrustKind:
    """Register the kind of rule that names a public key."""
    return KeyKind()


class KeyKind:
    """Rules with ``public-key``, a PEM file or PEM, and perhaps ``minimum-rsa-bits``."""

    name = "key"
    selector = frozenset({SETTING})
    settings: Mapping[str, type] = MappingProxyType({SETTING: str, "minimum-rsa-bits": int})

    def parse(self, table: Mapping[str, Any], read: Callable[[str], bytes]) -> KeyRule:
        """Return the rule. Raises ConfigurationError, MalformedError, and UnsupportedError for other kinds of keys."""
        from hatch_sign.trust.pem import read_pem, require_one_block  # noqa: PLC0415 - listing the kind needs none of it
        from hatch_sign.trust.strength import minimum_rsa_bits  # noqa: PLC0415 - as above
        from hatch_sign.values.public_keys import parse_public_key  # noqa: PLC0415 - as above

        subject, data = read_pem(table[SETTING], SETTING, read)
        require_one_block(data, subject)
        return KeyRule(parse_public_key(data, subject=subject), minimum_rsa_bits(table))


@dataclass(frozen=True, slots=True)
class KeyRule:
    """Trusts one public key, whatever certificate comes with it, unless it is RSA of fewer bits than `smallest_rsa`."""

    public_key: PublicKey
    smallest_rsa: int

    @property
    def keys(self) -> Sequence[PublicKey]:
        """The one key."""
        return (self.public_key,)

    def evaluate(self, material: Material) -> Judgement:
        """Judge. Never raises."""
        from hatch_sign.trust.strength import weakness  # noqa: PLC0415 - as in parse
        from hatch_sign.values.public_keys import describe_key, key_hint  # noqa: PLC0415 - as in parse

        key = material.facts.public_key
        if key != self.public_key:
            return Judgement(Verdict.UNTRUSTED, f"it was made by another {describe_key(key)} key")
        if weak := weakness(key, self.smallest_rsa):
            return Judgement(Verdict.UNTRUSTED, weak)
        return Judgement(Verdict.TRUSTED, signer=f"key {key_hint(key)} ({describe_key(key)})")
