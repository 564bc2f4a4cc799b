"""Where the server is and how it is reached, from the environment variables of Vault's or OpenBao's own tools."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from hatch_sign.remote.hosts import is_loopback
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILIES = {"hashivault": ("VAULT", "BAO"), "openbao": ("BAO", "VAULT")}
"""Prefixes of the variables for each scheme; the second is for those who name either server by the other's."""

_PRODUCTS = {"hashivault": "HashiCorp Vault", "openbao": "OpenBao"}
_DEFAULT_MOUNT = "transit"


@dataclass(frozen=True, slots=True, repr=False)
class VaultSettings:
    """One server. All variables are of one family, so that a token never goes to the server of the other.

    `variables` maps what follows the family's prefix to the value: ``TOKEN`` to that of ``VAULT_TOKEN``. Its values
    may be secret: it is not shown.
    """

    product: str
    family: str
    address: str
    mount: str
    variables: Mapping[str, str]
    home: str | None

    def name_of(self, variable: str) -> str:
        """Return the name of an environment variable of the family."""
        return f"{self.family}_{variable}"

    def get(self, variable: str) -> str | None:
        """Return the value of a variable of the family; None where it is not set or empty."""
        return self.variables.get(variable) or None

    @property
    def plain_channel(self) -> bool:
        """Whether the server is asked without TLS."""
        return urlsplit(self.address).scheme != "https"

    @property
    def exposed(self) -> bool:
        """Whether the token would cross a network in clear."""
        return self.plain_channel and not is_loopback(urlsplit(self.address).hostname or "")

    @property
    def verify(self) -> str | bool:
        """What requests takes as ``verify``: a file or a folder of trusted authorities, or its own."""
        return self.get("CACERT") or self.get("CAPATH") or True

    @property
    def client_certificate(self) -> tuple[str, str] | None:
        """The files of the client's certificate and key for mutual TLS."""
        certificate, key = self.get("CLIENT_CERT"), self.get("CLIENT_KEY")
        return (certificate, key) if certificate and key else None


def read_settings(scheme: str, environ: Mapping[str, str]) -> VaultSettings:
    """Return the settings for a scheme. Raises ConfigurationError where no address, or none that is one, is set."""
    families = FAMILIES[scheme]
    family = next((each for each in families if environ.get(f"{each}_ADDR")), None)
    if family is None:
        message = f"the address of {_PRODUCTS[scheme]} is not set"
        raise ConfigurationError(message, remedy=f"set {families[0]}_ADDR, for instance to https://vault.example:8200")
    prefix = f"{family}_"
    mount = environ.get("TRANSIT_SECRET_ENGINE_PATH", "").strip("/") or _DEFAULT_MOUNT
    return VaultSettings(
        product=_PRODUCTS[scheme],
        family=family,
        address=_checked(environ[f"{family}_ADDR"], f"{family}_ADDR"),
        mount=quote(mount),
        variables={name.removeprefix(prefix): value for name, value in environ.items() if name.startswith(prefix)},
        home=environ.get("USERPROFILE" if os.name == "nt" else "HOME"),
    )


def _checked(address: str, variable: str) -> str:
    if "@" in address:
        message = f"{variable} holds a password before its host (an @)"  # and is not repeated for that
        raise ConfigurationError(message, remedy="leave it out: log in by a token, AppRole or JWT")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
        usable = usable and not set(address) & {"?", "#"}  # what follows them would swallow every path
    except ValueError:  # brackets that do not close, a port that is no number
        usable = False
    if not usable:
        message = f"{variable} is {display(address)}, which is not the address of a server"
        raise ConfigurationError(message, remedy="write https://HOST:PORT")
    return address.rstrip("/")
