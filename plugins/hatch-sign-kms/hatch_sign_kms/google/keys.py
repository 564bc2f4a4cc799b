"""Making and listing keys of Google Cloud KMS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.values.errors import ConfigurationError, CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign_kms.google.algorithms import algorithm_to_generate
from hatch_sign_kms.google.answers import name_of
from hatch_sign_kms.google.connection import connect, make_caller
from hatch_sign_kms.google.key import GoogleKey
from hatch_sign_kms.google.references import parse_google_reference, parse_ring_reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.cloud.kms_v1 import KeyManagementServiceClient

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.algorithms import KeyAlgorithm
    from hatch_sign_kms.google.key import Connection
    from hatch_sign_kms.google.references import GoogleReference

_PAGE = 1000
"""Keys in one answer, the most that the service gives."""
_LOOKS = 60
_BETWEEN_LOOKS = 1.0
"""Seconds. A key in an HSM is there within a few; the largest RSA keys take longest."""


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key in an HSM, in a key ring that exists, and wait until it is there.

    Raises ConfigurationError for a reference that names a version, UnsupportedError for a kind that the service does not
    make, CustodyError.
    """
    parsed = parse_google_reference(reference)
    if parsed.version is not None:
        message = f"{parsed.text}: it names a version, and versions are numbered by the service"
        raise ConfigurationError(message, remedy="leave /cryptoKeyVersions/... out")
    name = algorithm_to_generate(algorithm, subject=parsed.text)
    caller = make_caller(parsed, context)
    with connect(caller, context.environ) as connection:
        _create(connection.client, parsed, name, caller)
        version = f"{parsed.key}/cryptoKeyVersions/1"
        _await_generation(connection.client, version, caller)
        return _describe(connection, replace(parsed, version=version), caller)


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the key that `reference` names, or the keys of its ring that can sign, by name."""
    parsed = parse_ring_reference(reference)
    caller = make_caller(parsed, context)
    with connect(caller, context.environ) as connection:
        if parsed.key is not None:
            return (_describe(connection, parsed, caller),)
        found = [_describe_if_usable(connection, each, caller) for each in _keys_of_ring(connection.client, parsed, caller)]
        return tuple(key for key in found if key is not None)


def _create(client: KeyManagementServiceClient, reference: GoogleReference, algorithm: str, caller: ServiceCaller) -> None:
    template = {"algorithm": algorithm, "protection_level": "HSM"}
    request = {
        "parent": reference.ring,
        "crypto_key_id": (reference.key or "").rpartition("/")[2],
        "crypto_key": {"purpose": "ASYMMETRIC_SIGN", "version_template": template},
    }
    # Should the answer get lost, a repetition would find the name taken, and blame somebody else for it.
    caller.call(
        lambda: client.create_crypto_key(request=request, retry=None, timeout=caller.limits.read),
        permission="cloudkms.cryptoKeys.create",
        repeatable=False,
    )


def _await_generation(client: KeyManagementServiceClient, version: str, caller: ServiceCaller) -> None:
    for _ in range(_LOOKS):
        described = caller.call(
            lambda: client.get_crypto_key_version(name=version, retry=None, timeout=caller.limits.read),
            permission="cloudkms.cryptoKeyVersions.get",
        )
        if name_of(described.state) != "PENDING_GENERATION":
            return
        caller.timing.sleep(_BETWEEN_LOOKS)
    message = f"{caller.key}: the key is still being generated after {_LOOKS * _BETWEEN_LOOKS:.0f} s"
    raise CustodyError(message, remedy="look at it later: hatch-sign key show")


def _keys_of_ring(
    client: KeyManagementServiceClient, reference: GoogleReference, caller: ServiceCaller
) -> list[GoogleReference]:
    def list_ring() -> list[str]:
        request = {"parent": reference.ring, "page_size": _PAGE}
        keys = client.list_crypto_keys(request=request, retry=None, timeout=caller.limits.read)
        return [key.name for key in keys if name_of(key.purpose) == "ASYMMETRIC_SIGN"]

    names = caller.call(list_ring, permission="cloudkms.cryptoKeys.list")
    return [parse_google_reference(f"gcpkms://{name}") for name in sorted(names)]


def _describe(connection: Connection, reference: GoogleReference, caller: ServiceCaller) -> KeyDescription:
    key = GoogleKey(connection, reference, caller)
    facts = key.describe()
    _, _, version = key.version.rpartition("/")
    label = (reference.key or "").rpartition("/")[2]
    return KeyDescription(f"gcpkms://{key.version}", label, version, facts.public_key, key.protection())


def _describe_if_usable(connection: Connection, reference: GoogleReference, caller: ServiceCaller) -> KeyDescription | None:
    """Return the description, or None for a key that signs nothing now: no enabled version, or an unknown algorithm."""
    try:
        return _describe(connection, reference, replace(caller, key=reference.text))
    except (KeyNotFoundError, UnsupportedError):
        return None
