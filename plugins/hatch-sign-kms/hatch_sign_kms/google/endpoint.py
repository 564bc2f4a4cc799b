"""Where the service is: Google's own address, or the one that the user's gcloud was told of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"
"""gcloud's own setting for a regional endpoint, Private Service Connect, or an emulator."""

_ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[::1\])(?::(?P<port>[0-9]{1,5}))?/?\Z")
_LOOPBACK = re.compile(r"(?:127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|localhost|\[::1\])\Z")
_GOOGLE = ".googleapis.com"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, ``host:port``. A `plain` one is on this machine, and is shown no credential."""

    address: str
    plain: bool = False


def find_endpoint(environ: Mapping[str, str]) -> Endpoint | None:
    """Return the address that the environment names, None for Google's default.

    A credential is sent over TLS only, and to hosts of Google's or of this machine only; over a plain channel only
    this machine is called, and without a credential. Raises ConfigurationError for any other address.
    """
    value = environ.get(VARIABLE)
    if not value:
        return None
    match = _ADDRESS.match(value)
    if match is None:
        message = f"{VARIABLE} is not of the form https://HOST[:PORT]/: {display(value)}"
        raise ConfigurationError(message)
    host, plain = match["host"].lower(), match["scheme"] == "http"
    local = _LOOPBACK.match(host) is not None
    if not local and (plain or not host.endswith(_GOOGLE)):
        message = f"{VARIABLE} names {display(value)}, which is neither a host of {_GOOGLE[1:]} by https nor this machine"
        raise ConfigurationError(message, remedy="a credential is sent nowhere else; unset it for Google's own address")
    return Endpoint(f"{host}:{match['port'] or (80 if plain else 443)}", plain=plain)
