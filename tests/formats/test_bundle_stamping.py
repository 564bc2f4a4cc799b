"""Timestamps in bundles that are finished: nothing else in the file changes."""

from __future__ import annotations

import hashlib
import json

import pytest

from hatch_sign.contract import TakesTimestamps
from hatch_sign.formats.sigstore.bundle import MAX_EVIDENCE, parse_bundle
from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.formats.statement.producer import StatementProducer
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.errors import MalformedError

SUBJECT = Subject("tool.bin", 4, {"sha256": hashlib.sha256(b"tool").digest()})
SEAL = KeySeal(private_key(KeyAlgorithm.ECDSA_P256), Scheme.ECDSA_SHA256, release=Release("tool", "1.0"))
FILES = {
    "bundle": (BundleProducer(), BundleProducer().sign(SUBJECT, SEAL)),
    "statement": (StatementProducer(), StatementProducer().sign([SUBJECT], SEAL)),
}


@pytest.mark.parametrize(("producer", "data"), FILES.values(), ids=FILES)
def test_timestamps_take_the_place_of_those_that_were_there(producer: TakesTimestamps, data: bytes) -> None:
    assert isinstance(producer, TakesTimestamps)
    before = parse_bundle(data)
    assert producer.signature(data) == before.signature
    both = producer.with_timestamps(data, [b"one", b"two"])
    assert parse_bundle(both).timestamps == (b"one", b"two")
    other = producer.with_timestamps(both, [b"three"])
    assert parse_bundle(other).timestamps == (b"three",)
    table = json.loads(other)
    assert table["verificationMaterial"].pop("timestampVerificationData")
    assert table == json.loads(data)


def test_a_bundle_of_an_older_version_stays_one() -> None:
    producer, data = FILES["bundle"]
    older = data.replace(
        b"application/vnd.dev.sigstore.bundle.v0.3+json", b"application/vnd.dev.sigstore.bundle+json;version=0.1"
    )
    stamped = producer.with_timestamps(older, [b"one"])
    assert json.loads(stamped)["mediaType"].endswith("version=0.1")
    assert parse_bundle(stamped).timestamps == (b"one",)


@pytest.mark.parametrize(("data", "found"), [(b"{}", "lacks mediaType"), (b"x", "the bundle is")])
def test_what_is_no_bundle_is_not_stamped(data: bytes, found: str) -> None:
    producer = BundleProducer()
    with pytest.raises(MalformedError, match=found):
        producer.with_timestamps(data, [b"one"])
    with pytest.raises(MalformedError, match=found):
        producer.signature(data)


def test_no_more_are_put_in_than_are_read() -> None:
    producer, data = FILES["bundle"]
    assert len(parse_bundle(producer.with_timestamps(data, [b"one"] * MAX_EVIDENCE)).timestamps) == MAX_EVIDENCE
    with pytest.raises(MalformedError, match="at most 32 timestamps, and 33 were given"):
        producer.with_timestamps(data, [b"one"] * (MAX_EVIDENCE + 1))
