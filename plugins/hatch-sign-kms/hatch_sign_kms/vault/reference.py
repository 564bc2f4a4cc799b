"""References to keys of a transit engine, by cosign's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.errors import ConfigurationError

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")


@dataclass(frozen=True, slots=True)
class VaultReference:
    """A reference taken apart. `name` is the key's, None where the reference names none; `version` None for the latest."""

    text: str
    scheme: str
    name: str | None
    version: int | None = None
    pin_source: str | None = None


def parse_vault_reference(reference: str) -> VaultReference:
    """Take `reference` apart, with its settings ``version`` and ``pin-source``. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    parsed.require_known("version")
    name = parsed.path.removeprefix("//")
    if not parsed.path.startswith("//") or (name and not is_name(name)):
        message = f"{parsed.name}: not the name of a transit key"
        raise ConfigurationError(message, remedy=f"write {parsed.scheme}://NAME; the mount is TRANSIT_SECRET_ENGINE_PATH")
    version = parsed.query.get("version")
    if version is not None and not _VERSION.match(version):
        message = f"{parsed.name}: its version is not a number from 1"
        raise ConfigurationError(message)
    number = int(version) if version else None
    return VaultReference(parsed.name, parsed.scheme, name or None, number, parsed.pin_source)


def is_name(text: str) -> bool:
    """Return whether a transit key may be called so: what else there is does not fit a path."""
    return _NAME.match(text) is not None


def require_name(reference: VaultReference) -> str:
    """Return the name of the key. Raises ConfigurationError where the reference has none."""
    if reference.name is None:
        message = f"{reference.text}: the reference names no key"
        raise ConfigurationError(message, remedy=f"write {reference.scheme}://NAME")
    return reference.name
