"""References to keys of Azure: the vault's host, the key's name and version behind ``azurekms://``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.errors import ConfigurationError

_PATH = re.compile(
    r"//(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)(?:/(?:(?P<key>[0-9A-Za-z-]{1,127})(?:/(?P<version>[0-9a-z]{0,64}))?)?)?\Z"
)
_MANAGED_HSM = re.compile(r"\.managedhsm\.")
_REMEDY = "write azurekms://VAULT.vault.azure.net/KEY[/VERSION], or azurekms://HSM.managedhsm.azure.net/KEY[/VERSION]"


@dataclass(frozen=True, slots=True)
class AzureReference:
    """One reference, taken apart: `key` is None for a whole vault, `version` where the newest one is meant."""

    text: str
    host: str
    key: str | None
    version: str | None

    @property
    def service(self) -> str:
        """What answers at the host, by its name."""
        return "Azure Managed HSM" if _MANAGED_HSM.search(self.host) else "Azure Key Vault"

    @property
    def url(self) -> str:
        """The address of the vault."""
        return f"https://{self.host}"


def parse_azure_reference(reference: str) -> AzureReference:
    """Take the reference of one key apart. Raises ConfigurationError."""
    parsed = parse_vault_reference(reference)
    if parsed.key is None:
        message = f"{parsed.text}: it names a vault, and no key in it"
        raise ConfigurationError(message, remedy=_REMEDY)
    return parsed


def parse_vault_reference(reference: str) -> AzureReference:
    """Take the reference of a key, or of a whole vault, apart. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    if parsed.query:
        message = f"{parsed.name}: `{next(iter(parsed.query))}` is not a setting of azurekms references, which have none"
        raise ConfigurationError(message, remedy="log in as Azure's own tools do: az login, or AZURE_CLIENT_ID")
    match = _PATH.match(parsed.path)
    host = match["host"].lower() if match else ""
    if match is None or "." not in host:
        message = f"{parsed.name}: it is not the host of a vault, in full, and the name of a key"
        raise ConfigurationError(message, remedy=_REMEDY)
    return AzureReference(parsed.name, host, match["key"], match["version"] or None)
