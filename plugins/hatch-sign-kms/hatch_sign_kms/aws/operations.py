"""The calls that are made of AWS KMS."""

from __future__ import annotations

METHODS = {
    "CreateAlias": "create_alias",
    "CreateKey": "create_key",
    "DescribeKey": "describe_key",
    "GetPublicKey": "get_public_key",
    "ListAliases": "list_aliases",
    "ListKeys": "list_keys",
    "ScheduleKeyDeletion": "schedule_key_deletion",
    "Sign": "sign",
}
"""What boto3 calls each call that is made of the service; every other call of its is one for a credential."""
