"""Making and listing keys of a vault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.remote import Failure, FailureKind
from hatch_sign.values.errors import ConfigurationError, CustodyError, UnsupportedError
from hatch_sign_kms.azure.algorithms import kind_to_generate
from hatch_sign_kms.azure.connection import connect, make_caller
from hatch_sign_kms.azure.key import AzureKey
from hatch_sign_kms.azure.references import parse_azure_reference, parse_vault_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.remote import ServiceCaller
    from hatch_sign.values.algorithms import KeyAlgorithm
    from hatch_sign_kms.azure.algorithms import Wanted
    from hatch_sign_kms.azure.connection import Vault
    from hatch_sign_kms.azure.references import AzureReference


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Make a key in an HSM, that may sign and nothing else.

    Raises ConfigurationError for a reference that names a version, UnsupportedError for a kind that the service does not
    make, CustodyError.
    """
    parsed = parse_azure_reference(reference)
    if parsed.version is not None:
        message = f"{parsed.text}: it names a version, and versions are named by the service"
        raise ConfigurationError(message, remedy="leave it out")
    wanted = kind_to_generate(algorithm, subject=parsed.text)
    caller = make_caller(parsed, context)
    with connect(parsed, caller, connections=1) as vault:
        _refuse_taken(vault, parsed, caller)
        _create(vault, parsed, wanted, caller)
        return _describe(vault, parsed, caller, warn=context.warn)


def list_keys(reference: str, context: BackendContext) -> Sequence[KeyDescription]:
    """Return the key that `reference` names, or the keys of its vault that can sign, by name."""
    parsed = parse_vault_reference(reference)
    caller = make_caller(parsed, context)
    with connect(parsed, caller, connections=1) as vault:
        if parsed.key is not None:
            return (_describe(vault, parsed, caller, warn=context.warn),)
        names = caller.call(
            lambda: [str(each.name) for each in vault.keys.list_properties_of_keys() if each.enabled is not False],
            permission="keys/list",
        )
        each = (parse_azure_reference(f"azurekms://{parsed.host}/{name}") for name in sorted(names))
        found = [_describe_if_usable(vault, one, caller, warn=context.warn) for one in each]
        return tuple(key for key in found if key is not None)


def _refuse_taken(vault: Vault, reference: AzureReference, caller: ServiceCaller) -> None:
    """Raise CustodyError where there is such a key: the service would make a new version of it, which then signs."""
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - with the SDK only

    def exists() -> bool:
        try:
            vault.keys.get_key(reference.key or "")
        except ResourceNotFoundError:
            return False
        return True

    if caller.call(exists, permission="keys/get"):
        message = f"{reference.text}: there is a key of this name already"
        raise CustodyError(message, remedy="choose another name; to rotate a key, use the tools of the service")


def _create(vault: Vault, reference: AzureReference, wanted: Wanted, caller: ServiceCaller) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415 - with the SDK only

    def create() -> None:
        try:
            vault.keys.create_key(
                reference.key or "",
                wanted.kty,
                size=wanted.size,
                curve=wanted.curve,
                key_operations=["sign", "verify"],
            )
        except HttpResponseError as error:
            if error.status_code != 400:  # noqa: PLR2004 - Bad Request (RFC 9110 §15.5.1)
                raise
            refused = True
        else:
            refused = False
        if refused:
            found, remedy = "does not make such a key in an HSM", "use a vault of the tier Premium, or a Managed HSM"
            raise caller.error(Failure(FailureKind.INVALID, "400", found, remedy))

    # Should the answer get lost, a repetition would make a second version.
    caller.call(create, permission="keys/create", repeatable=False)


def _describe(
    vault: Vault, reference: AzureReference, caller: ServiceCaller, *, warn: Callable[[str], None]
) -> KeyDescription:
    key = AzureKey(vault, reference, caller, warn=warn)
    facts = key.describe()
    full = f"azurekms://{reference.host}/{reference.key}/{key.version}"
    return KeyDescription(full, reference.key or "", key.version, facts.public_key, key.protection(), facts.certificates)


def _describe_if_usable(
    vault: Vault, reference: AzureReference, caller: ServiceCaller, *, warn: Callable[[str], None]
) -> KeyDescription | None:
    """Return the description, or None for a key of a kind that signs nothing here."""
    try:
        return _describe(vault, reference, replace(caller, key=reference.text), warn=warn)
    except UnsupportedError:
        return None
