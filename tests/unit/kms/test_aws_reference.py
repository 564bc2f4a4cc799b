"""References to keys of AWS KMS: cosign's, and nothing else."""

from __future__ import annotations

import pytest

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_kms.aws.reference import AwsReference, is_named_by, parse_aws_reference, require_key

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:us-east-2:111122223333:key/{ID}"
ALIAS_ARN = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/team/release"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (f"awskms:///{ID}", AwsReference("", ID)),
        (f"awskms:///mrk-{'0123456789abcdef' * 2}", AwsReference("", f"mrk-{'0123456789abcdef' * 2}")),
        (f"awskms:///{ARN}", AwsReference("", ARN, region="us-east-2")),
        ("awskms:///alias/release", AwsReference("", "alias/release", "alias/release")),
        (f"awskms:///{ALIAS_ARN}", AwsReference("", ALIAS_ARN, "alias/team/release", region="us-gov-west-1")),
        (f"awskms://localhost:4566/{ID}", AwsReference("", ID, endpoint="https://localhost:4566")),
        ("awskms://kms.example/alias/x", AwsReference("", "alias/x", "alias/x", "https://kms.example")),
        ("awskms://[::1]:4566/alias/x", AwsReference("", "alias/x", "alias/x", "https://[::1]:4566")),
        ("AWSKMS:///alias/release", AwsReference("", "alias/release", "alias/release")),
        ("awskms:///", AwsReference("", None)),
        ("awskms://kms.example/", AwsReference("", None, endpoint="https://kms.example")),
    ],
)
def test_cosigns_references_are_taken(reference: str, expected: AwsReference) -> None:
    parsed = parse_aws_reference(reference)
    assert (parsed.key, parsed.alias) == (expected.key, expected.alias)
    assert (parsed.endpoint, parsed.region) == (expected.endpoint, expected.region)
    assert parsed.text == "awskms:" + reference.partition(":")[2]


@pytest.mark.parametrize(
    "reference",
    [
        "awskms:release",
        "awskms:/alias/release",
        "awskms://alias/release",
        "awskms:///release",
        "awskms:///alias/",
        "awskms:///alias/a b",
        "awskms:///alias/a;b",
        f"awskms:///key/{ID}",
        f"awskms:///{ID}0",
        f"awskms:///{ID[1:]}",
        "awskms:///mrk-123",
        f"awskms:///arn:aws:s3:us-east-2:111122223333:key/{ID}",
        f"awskms:///arn:aws:kms:us-east-2:11112222333:key/{ID}",
        f"awskms://host:123456/{ID}",
        f"awskms://host/path/{ID}",
        f"awskms://http://host/{ID}",
    ],
)
def test_others_are_not(reference: str) -> None:
    with pytest.raises(ConfigurationError, match="not a reference to a key of AWS KMS"):
        parse_aws_reference(reference)


@pytest.mark.parametrize("query", ["region=eu-central-1", "pin-source=env:AWS_SECRET_ACCESS_KEY"])
def test_there_are_no_settings(query: str) -> None:
    with pytest.raises(ConfigurationError, match="no settings after a question mark"):
        parse_aws_reference(f"awskms:///alias/release?{query}")


@pytest.mark.parametrize("text", ["awskms://key:SeCrEt@host/alias/x", "awskms:///alias/x?pin-value=SeCrEt"])
def test_a_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_aws_reference(text)
    assert_presentable(caught.value, ["SeCrEt"])


def test_a_key_is_named_beside_another_of_the_same_service() -> None:
    assert parse_aws_reference("awskms:///").naming("alias/x") == "awskms:///alias/x"
    assert parse_aws_reference("awskms://kms.example/").naming(ARN) == f"awskms://kms.example/{ARN}"


OTHER = ID.replace("1234abcd", "00000000")


@pytest.mark.parametrize("name", [ID, ID.upper(), ARN, "alias/release", ARN.replace(f"key/{ID}", "alias/release")])
def test_the_key_that_was_asked_for_may_answer(name: str) -> None:
    assert is_named_by(ARN, name)


@pytest.mark.parametrize(
    "name",
    [
        OTHER,
        ID[1:],
        ARN.replace(ID, OTHER),
        ARN.replace("us-east-2", "us-east-1"),
        ARN.replace("111122223333", "999999999999"),
        ARN.replace(f"key/{ID}", "alias/release").replace("us-east-2", "us-east-1"),
        ARN.replace(f"key/{ID}", "alias/release").replace("111122223333", "999999999999"),
    ],
)
def test_another_key_may_not(name: str) -> None:
    assert not is_named_by(ARN, name)


def test_the_whole_account_is_no_key() -> None:
    assert require_key(parse_aws_reference("awskms:///alias/x")) == "alias/x"
    with pytest.raises(ConfigurationError, match="the reference names no key"):
        require_key(parse_aws_reference("awskms:///"))
