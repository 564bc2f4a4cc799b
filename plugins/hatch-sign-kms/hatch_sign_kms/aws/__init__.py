"""AWS KMS: ``awskms:///alias/NAME``, ``awskms:///KEY-ID``, ``awskms:///ARN``, and ``awskms://HOST/...``, as cosign has it.

Credentials, region, proxies and private authorities are those of boto3: environment, profile, web identity, instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import (
        Backend,
        BackendContext,
        KeyDescription,
        SecretRequest,
        Signer,
        Symptom,
    )
    from hatch_sign.values.algorithms import KeyAlgorithm


class AwsBackend:
    """The backend ``awskms``, by the extra ``aws``; needs ``kms:GetPublicKey``, ``kms:DescribeKey`` and ``kms:Sign``."""

    name = "awskms"
    uri_schemes = ("awskms",)

    def open(self, reference: str, context: BackendContext) -> AbstractContextManager[Signer]:
        """Return what looks the key up when it is entered; messages for Ed25519 have at most 4,096 bytes."""
        from hatch_sign_kms.aws.key import open_key  # noqa: PLC0415 (listing the backend costs nothing)

        return open_key(reference, context)

    def generate_key(self, reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
        """Make a key and the alias that `reference` names. Raises CustodyError when the alias is taken.

        Needs ``kms:CreateKey`` and ``kms:CreateAlias`` as well.
        """
        from hatch_sign_kms.aws.keys import generate_key  # noqa: PLC0415 (as above)

        return generate_key(reference, algorithm, context)

    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:
        """Return the key that `reference` names, or with ``awskms:///`` every signing key of the account and region.

        The latter needs ``kms:ListKeys`` and ``kms:ListAliases`` as well.
        """
        from hatch_sign_kms.aws.keys import list_keys  # noqa: PLC0415 (as above)

        return list_keys(reference, context)

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Symptom | SecretRequest]:
        """Look at the client, region, credentials and, as no secret is asked for, the key."""
        from hatch_sign_kms.aws.diagnosis import diagnose  # noqa: PLC0415 (as above)

        return diagnose(reference, context)


@hookimpl
def hatch_sign_register_backend() -> Backend:
    """Register AWS KMS."""
    return AwsBackend()
