"""Opening a key of a vault."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.remote import open_remote_key, pool_size
from hatch_sign_kms.azure.connection import connect, make_caller
from hatch_sign_kms.azure.key import AzureKey
from hatch_sign_kms.azure.references import parse_azure_reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import BackendContext, Signer
    from hatch_sign_kms.azure.references import AzureReference


def open_key(reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
    """Return what connects when it is entered, and disconnects when it is left. Raises ConfigurationError."""
    parsed = parse_azure_reference(reference)
    return open_remote_key(lambda: _connect_to_key(parsed, context), subject=parsed.text, context=context)


@contextmanager
def _connect_to_key(reference: AzureReference, context: BackendContext) -> Iterator[AzureKey]:
    caller = make_caller(reference, context)
    with connect(reference, caller, connections=pool_size(context)) as vault:
        yield AzureKey(vault, reference, caller, warn=context.warn)
