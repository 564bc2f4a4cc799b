"""Making and listing keys of AWS KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign_kms.aws.client import connect
from hatch_sign_kms.aws.key import AwsKey, read_protection, read_text
from hatch_sign_kms.aws.reference import parse_aws_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.aws.client import Connection
    from hatch_sign_kms.aws.reference import AwsReference

_KEY_SPECS = {
    KeyAlgorithm.ECDSA_P256: "ECC_NIST_P256",
    KeyAlgorithm.ECDSA_P384: "ECC_NIST_P384",
    KeyAlgorithm.ECDSA_P521: "ECC_NIST_P521",
    KeyAlgorithm.RSA_3072: "RSA_3072",
    KeyAlgorithm.RSA_4096: "RSA_4096",
    KeyAlgorithm.ED25519: "ECC_NIST_EDWARDS25519",
}
_SHORTEST_WAIT = 7
"""Days until the service deletes a key for good: the fewest that it allows."""

_MOST_PAGES = 1000
"""Of a list: more keys than an account may have."""


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key and its alias. Raises ConfigurationError where `reference` names no alias, CustodyError."""
    parsed = parse_aws_reference(reference)
    if parsed.alias is None or parsed.alias != parsed.key:
        message = f"{parsed.text}: a new key is named by its alias, and the service gives the ID and the ARN"
        raise ConfigurationError(message, remedy="write awskms:///alias/NAME")
    with connect(parsed, context) as connection:
        return make_key(connection, parsed, algorithm)


def make_key(connection: Connection, reference: AwsReference, algorithm: KeyAlgorithm) -> KeyDescription:
    """Make a key and its alias over a connection. Raises CustodyError."""
    alias = reference.alias or ""
    _refuse_taken(connection, reference)
    specification = {"KeySpec": _KEY_SPECS[algorithm], "KeyUsage": "SIGN_VERIFY", "Description": "made by hatch-sign"}
    metadata = connection.ask_for("CreateKey", specification, "KeyMetadata", repeatable=False)
    made = read_text(metadata, "Arn", connection)
    _name(connection, alias, made)
    return _describe(connection, reference.text, alias, made)


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the key that `reference` names, or every signing key of the account and region, by reference.

    Raises KeyNotFoundError for a key that is not there, CustodyError.
    """
    parsed = parse_aws_reference(reference)
    with connect(parsed, context) as connection:
        if parsed.key is not None:
            return [_describe(connection, parsed.text, parsed.alias or "", parsed.key)]
        return describe_every(connection, parsed)


def describe_every(connection: Connection, reference: AwsReference) -> list[KeyDescription]:
    """Return every key of the account and region that signs and is enabled, by reference. Raises CustodyError."""
    found = [_describe_if_signing(connection, reference, *each) for each in _every_key(connection)]
    return sorted((each for each in found if each is not None), key=lambda each: each.reference)


def _refuse_taken(connection: Connection, reference: AwsReference) -> None:
    try:
        connection.ask("DescribeKey", {"KeyId": reference.alias})
    except KeyNotFoundError:
        return
    message = f"{reference.text}: the account has a key of this alias already"
    raise CustodyError(message, remedy="choose another alias: a key is never replaced")


def _name(connection: Connection, alias: str, arn: str) -> None:
    """Give the key its alias; a key that cannot have it is sent to be deleted, for nobody would find it again."""
    try:
        connection.ask("CreateAlias", {"AliasName": alias, "TargetKeyId": arn})
    except CustodyError as error:
        try:
            connection.ask("ScheduleKeyDeletion", {"KeyId": arn, "PendingWindowInDays": _SHORTEST_WAIT})
            left = f"the key that was made for it will be deleted in {_SHORTEST_WAIT} days"
        except CustodyError:
            left = f"delete the key that was made for it: {arn}"
        raise type(error)(error.message, remedy=f"{error.remedy}; {left}") from None


def _every_key(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield the ARN of each key, and one of its aliases or nothing."""
    aliases: dict[str, str] = {}
    for alias in _pages(connection, "ListAliases", "Aliases"):
        aliases.setdefault(str(alias.get("TargetKeyId")), str(alias.get("AliasName")))
    for key in _pages(connection, "ListKeys", "Keys"):
        yield read_text(key, "KeyArn", connection), aliases.get(str(key.get("KeyId")), "")


def _pages(connection: Connection, operation: str, content: str) -> Iterator[dict[str, Any]]:
    position: dict[str, object] = {}
    for _ in range(_MOST_PAGES):
        page = connection.ask(operation, position)
        yield from page.get(content, ())
        if not page.get("Truncated"):
            return
        position = {"Marker": read_text(page, "NextMarker", connection)}
    connection.caller.reject_answer("lists without an end")


def _describe_if_signing(connection: Connection, reference: AwsReference, arn: str, alias: str) -> KeyDescription | None:
    metadata = connection.ask_for("DescribeKey", {"KeyId": arn}, "KeyMetadata")
    if metadata.get("KeyUsage") != "SIGN_VERIFY" or metadata.get("KeyState") != "Enabled":
        return None
    try:
        return _describe(connection, reference.naming(alias or arn), alias, arn)
    except UnsupportedError:  # a curve or an algorithm that hatch-sign does not sign by
        return None


def _describe(connection: Connection, reference: str, alias: str, name: str) -> KeyDescription:
    key = AwsKey(connection, name)
    facts = key.describe()
    metadata = connection.ask_for("DescribeKey", {"KeyId": key.arn}, "KeyMetadata")
    return KeyDescription(
        reference=reference,
        label=alias.removeprefix("alias/"),
        id=str(metadata.get("KeyId", "")),
        public_key=facts.public_key,
        protection=read_protection(metadata, plain_channel=connection.plain_channel),
    )
