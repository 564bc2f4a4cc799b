"""References to keys of Google Cloud KMS: the resource name behind ``gcpkms://``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.contract.references import KeyReference

_ID = r"[A-Za-z0-9_-]{1,63}"
_RESOURCE = re.compile(
    r"//(?P<ring>projects/[A-Za-z0-9.:_-]+/locations/[a-z0-9-]+/keyRings/" + _ID + r")"
    r"(?:/cryptoKeys/(?P<key>" + _ID + r")(?:/(?:cryptoKeyVersions|versions)/(?P<version>[1-9][0-9]{0,18}))?)?\Z"
)
"""``versions`` is how cosign spelled it before it took the service's own word."""

_REMEDY = "write gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY[/cryptoKeyVersions/VERSION]"


@dataclass(frozen=True, slots=True)
class GoogleReference:
    """One reference, taken apart: `ring`, `key` and `version` are resource names as the service spells them in full.

    `key` is None for a whole key ring, `version` where the newest one is meant; `text` is for messages.
    """

    text: str
    ring: str
    key: str | None
    version: str | None


def parse_google_reference(reference: str) -> GoogleReference:
    """Take the reference of one key apart. Raises ConfigurationError."""
    parsed = parse_ring_reference(reference)
    if parsed.key is None:
        message = f"{parsed.text}: it names a key ring, and no key in it"
        raise ConfigurationError(message, remedy=_REMEDY)
    return parsed


def parse_ring_reference(reference: str) -> GoogleReference:
    """Take the reference of a key, or of a whole key ring, apart. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    _refuse_settings(parsed)
    match = _RESOURCE.match(parsed.path)
    if match is None:
        message = f"{parsed.name}: it is not the name of a key of Google Cloud KMS"
        raise ConfigurationError(message, remedy=_REMEDY)
    ring, key = match["ring"], match["key"]
    key_name = f"{ring}/cryptoKeys/{key}" if key else None
    version = f"{key_name}/cryptoKeyVersions/{match['version']}" if match["version"] else None
    return GoogleReference(parsed.name, ring, key_name, version)


def _refuse_settings(parsed: KeyReference) -> None:
    if parsed.query:
        message = f"{parsed.name}: `{next(iter(parsed.query))}` is not a setting of gcpkms references, which have none"
        raise ConfigurationError(message, remedy="log in as Google's own tools do: gcloud auth application-default login")
