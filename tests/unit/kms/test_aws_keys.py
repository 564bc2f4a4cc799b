"""AWS KMS: keys that are made and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import CustodyError
from hatch_sign.values.public_keys import encode_public_key
from hatch_sign_kms.aws.keys import describe_every, make_key
from hatch_sign_kms.aws.reference import parse_aws_reference

from .aws_rig import ARN, ID, KEY, OTHER, SECRET, metadata, public_key, stubbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.stub import Stubber

RELEASE = parse_aws_reference("awskms:///alias/release")


def taken(stubber: Stubber, *, there: bool = False) -> None:
    if there:
        stubber.add_response("describe_key", metadata(), {"KeyId": "alias/release"})
    else:
        stubber.add_client_error("describe_key", "NotFoundException", http_status_code=400)


def test_a_key_is_made_with_its_alias() -> None:
    expected = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY", "Description": "made by hatch-sign"}
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", metadata(), expected)
        stubber.add_response("create_alias", {}, {"AliasName": "alias/release", "TargetKeyId": ARN})
        stubber.add_response("get_public_key", public_key(), {"KeyId": ARN})
        stubber.add_response("describe_key", metadata(), {"KeyId": ARN})
        made = make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)
    assert (made.reference, made.label, made.id, made.public_key) == ("awskms:///alias/release", "release", ID, KEY)


def test_a_key_is_never_replaced() -> None:
    with stubbed() as (connection, stubber):
        taken(stubber, there=True)
        with pytest.raises(CustodyError, match="a key of this alias already; choose another alias"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


def test_making_is_not_repeated_where_it_may_have_happened() -> None:
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_client_error("create_key", "KMSInternalException", http_status_code=500)
        with pytest.raises(CustodyError, match="KMSInternalException"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


@pytest.mark.parametrize(
    ("deleting", "left"),
    [
        (
            lambda stubber: stubber.add_response("schedule_key_deletion", {}, {"KeyId": ARN, "PendingWindowInDays": 7}),
            "in 7",
        ),
        (lambda stubber: stubber.add_client_error("schedule_key_deletion", "AccessDeniedException"), f"delete .*: {ARN}"),
    ],
    ids=["deleted", "left"],
)
def test_a_key_without_its_alias_does_not_stay(deleting: Callable[[Stubber], None], left: str) -> None:
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", metadata())
        stubber.add_client_error("create_alias", "AccessDeniedException", SECRET)
        deleting(stubber)
        with pytest.raises(CustodyError, match=f"kms:CreateAlias is missing; .*{left}") as caught:
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)
    assert_presentable(caught.value, [SECRET])


def test_every_page_is_listed_and_only_keys_for_signing() -> None:
    whole = parse_aws_reference("awskms:///")
    with stubbed() as (connection, stubber):
        aliases = [{"AliasName": "alias/release", "TargetKeyId": ID}, {"AliasName": "alias/second", "TargetKeyId": ID}]
        stubber.add_response("list_aliases", {"Aliases": aliases, "Truncated": True, "NextMarker": "more"}, {})
        stubber.add_response("list_aliases", {"Aliases": [{"AliasName": "alias/aws/s3"}]}, {"Marker": "more"})
        keys = [{"KeyArn": ARN, "KeyId": ID}, {"KeyArn": OTHER, "KeyId": "00000000"}]
        stubber.add_response("list_keys", {"Keys": keys, "Truncated": False}, {})
        for _ in range(2):
            stubber.add_response("describe_key", metadata(), {"KeyId": ARN})
            if not _:
                stubber.add_response("get_public_key", public_key(), {"KeyId": ARN})
        stubber.add_response("describe_key", metadata(KeyUsage="ENCRYPT_DECRYPT"), {"KeyId": OTHER})
        (found,) = describe_every(connection, whole)
    assert (found.reference, found.label) == ("awskms:///alias/release", "release")


@pytest.mark.parametrize("missing", ["KeyMetadata", "Arn"])
def test_a_key_that_was_made_and_is_not_named_is_an_error(missing: str) -> None:
    answer = metadata()
    (answer if missing in answer else answer["KeyMetadata"]).pop(missing)
    with stubbed() as (connection, stubber):
        taken(stubber)
        stubber.add_response("create_key", answer)
        with pytest.raises(CustodyError, match=f"AWS KMS sent no {missing}"):
            make_key(connection, RELEASE, KeyAlgorithm.ECDSA_P256)


def test_a_list_ends() -> None:
    with stubbed() as (connection, stubber):
        for number in range(1000):
            page = {"Aliases": [], "Truncated": True, "NextMarker": "again"}
            stubber.add_response("list_aliases", page, {"Marker": "again"} if number else {})
        with pytest.raises(CustodyError, match="lists without an end"):
            describe_every(connection, parse_aws_reference("awskms:///"))


def test_a_key_on_a_curve_that_nobody_signs_releases_by_is_not_listed() -> None:
    foreign = ec.generate_private_key(ec.SECP256K1()).public_key()
    with stubbed() as (connection, stubber):
        stubber.add_response("list_aliases", {"Aliases": []}, {})
        stubber.add_response("list_keys", {"Keys": [{"KeyArn": ARN, "KeyId": ID}]}, {})
        stubber.add_response("describe_key", metadata(KeySpec="ECC_SECG_P256K1"), {"KeyId": ARN})
        stubber.add_response("get_public_key", public_key(PublicKey=encode_public_key(foreign)), {"KeyId": ARN})
        assert describe_every(connection, parse_aws_reference("awskms:///")) == []
