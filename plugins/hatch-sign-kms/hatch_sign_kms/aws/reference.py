"""References to keys of AWS KMS, by cosign's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.errors import ConfigurationError

_HOST = r"(?P<host>(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)?"
_ARN = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:"
_ID = r"(?:mrk-[0-9a-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
_ALIAS = r"(?P<alias>alias/[A-Za-z0-9/_-]{1,250})"
_REFERENCE = re.compile(rf"//{_HOST}/(?P<key>{_ID}|{_ARN}key/{_ID}|(?:{_ARN})?{_ALIAS})?\Z")


@dataclass(frozen=True, slots=True)
class AwsReference:
    """A reference taken apart. `key` is the key's ID, ARN or alias; None where the reference names none.

    `endpoint` is the address of the service where the reference gives a host, always https, as cosign has it; `region`
    is that of an ARN.
    """

    text: str
    key: str | None
    alias: str | None = None
    endpoint: str | None = None
    region: str | None = None

    def naming(self, key: str) -> str:
        """Return the reference of another key of the same service."""
        host = self.endpoint.removeprefix("https://") if self.endpoint else ""
        return f"awskms://{host}/{key}"


def parse_aws_reference(reference: str) -> AwsReference:
    """Take `reference` apart. Raises ConfigurationError for one that is not well-formed, and for any query.

    There is no ``pin-source``: credentials come from boto3's own chain.
    """
    parsed = parse_reference(reference)
    if parsed.query:
        message = f"{parsed.name}: an awskms: reference has no settings after a question mark"
        raise ConfigurationError(message, remedy="set credentials and region as the AWS command line has them")
    match = _REFERENCE.match(parsed.path)
    if match is None:
        message = f"{parsed.name}: not a reference to a key of AWS KMS"
        remedy = "write awskms:///alias/NAME, awskms:///KEY-ID or awskms:///ARN, the host before the third slash"
        raise ConfigurationError(message, remedy=remedy)
    endpoint = f"https://{match['host']}" if match["host"] else None
    key = match["key"]
    region = key.split(":")[3] if key and key.startswith("arn:") else None
    return AwsReference(parsed.name, key, match["alias"], endpoint, region)


def is_named_by(arn: str, name: str) -> bool:
    """Return whether the key of `arn` can be the one that was asked for by `name`, the `key` of a reference.

    An ARN or an ID names one key. Which one an alias names only the service knows; its ARN names the region and account.
    """
    if name.startswith("alias/"):
        return True
    place, _, key_id = arn.partition(":key/")
    named_place, alias, _ = name.partition(":alias/")
    return place == named_place if alias else arn == name or key_id == name.lower()


def require_key(reference: AwsReference) -> str:
    """Return the key that the reference names. Raises ConfigurationError where it names none."""
    if reference.key is None:
        message = f"{reference.text}: the reference names no key"
        raise ConfigurationError(
            message, remedy="write awskms:///alias/NAME; `hatch-sign key list awskms:///` shows what is there"
        )
    return reference.key
