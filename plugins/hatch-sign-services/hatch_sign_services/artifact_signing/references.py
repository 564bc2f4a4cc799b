"""References to certificate profiles of Azure Artifact Signing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDPOINT_VARIABLE = "HATCH_SIGN_ARTIFACT_SIGNING_ENDPOINT"
"""For tests: ``https://127.0.0.1:PORT`` or ``https://localhost:PORT`` in place of Azure."""

_PATH = re.compile(r"//(?P<region>[a-z0-9]{1,20})/(?P<account>[A-Za-z0-9-]{3,24})/(?P<profile>[A-Za-z0-9-]{5,100})\Z")
_LOOPBACK = re.compile(r"https://(127\.0\.0\.1|localhost):[0-9]{1,5}\Z")


@dataclass(frozen=True, slots=True)
class ArtifactSigningReference:
    """A certificate profile. `text` stands for the reference in messages."""

    region: str
    account: str
    profile: str
    text: str

    @property
    def path(self) -> str:
        """The path of the profile, below which everything is asked."""
        return f"/codesigningaccounts/{self.account}/certificateprofiles/{self.profile}"

    def origin(self, environ: Mapping[str, str]) -> str:
        """Return the address of the region. Raises ConfigurationError for an override that leaves this machine.

        The token goes there: whoever could name any host in the environment of a run would be handed it.
        """
        chosen = environ.get(ENDPOINT_VARIABLE)
        if not chosen:
            return f"https://{self.region}.codesigning.azure.net"
        if not _LOOPBACK.match(chosen):
            message = f"{ENDPOINT_VARIABLE} is not of the form https://127.0.0.1:PORT"
            raise ConfigurationError(message, remedy="leave it unset: it is for tests on one machine")
        return chosen


def parse_artifact_signing_reference(reference: str) -> ArtifactSigningReference:
    """Take `reference` apart. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    parsed.require_known()
    text, found = display(parsed.name), _PATH.match(parsed.path)
    if found is None:
        message = f"{text}: not of the form artifact-signing://REGION/ACCOUNT/PROFILE"
        remedy = "REGION is the first label of the account's address: `weu` of https://weu.codesigning.azure.net"
        raise ConfigurationError(message, remedy=remedy)
    if parsed.pin_source is not None:
        message = f"{text}: the login is that of Azure's own tools, and a pin-source does not take part in it"
        raise ConfigurationError(message, remedy="set AZURE_TENANT_ID and its peers, or log in with `az login`")
    return ArtifactSigningReference(found["region"], found["account"], found["profile"], text)
