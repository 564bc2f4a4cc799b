"""No mutation of a bundle is accepted, unless it says the very same: the same signature over the same claim.

What a bundle means is read here by json and base64 alone, so that a mistake of the parser cannot hide behind itself.
The hint and the key id are left out of the meaning: nothing is decided by them. HATCH_SIGN_MUTATIONS sets how many.
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from hatch_sign.formats.sigstore.verifier import BundleVerifier
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import MalformedError

from .json_mutating import mutate, unambiguous
from .mutating import first_seed, mutation_count
from .vectors import P256, SUBJECT, dsse_bundle, encode, message_bundle

VERIFIER = BundleVerifier()
CHANGED = Subject(SUBJECT.name, SUBJECT.size, {name: bytes(len(digest)) for name, digest in SUBJECT.digests.items()})
KEYS = [P256.public_key()]
BUNDLES = {"message": encode(message_bundle()), "dsse": encode(dsse_bundle())}
COUNT = mutation_count(20_000)
PARTS = 4
"""Tests that the mutations are divided among, half for each kind of bundle."""


def is_accepted(data: bytes) -> bool:
    """Return whether the bundle is trusted for the artifact; for a changed one it never may be, nor raise anything else."""
    try:
        parsed = VERIFIER.parse(data)
    except MalformedError:
        return False
    hashes = VERIFIER.digests(parsed)
    assert hashes <= {"sha256", "sha384", "sha512"}
    assert VERIFIER.check(parsed, [CHANGED], KEYS)[CHANGED.name].problem is not None
    finding = VERIFIER.check(parsed, [SUBJECT], KEYS)[SUBJECT.name]
    assert bool(finding.facts) == (finding.problem is None)
    return finding.problem is None


def meaning(data: bytes) -> list[Any]:
    """Return what the bundle says: everything that a verdict may rest on."""
    table = json.loads(data, object_pairs_hook=unambiguous)
    message, envelope = table.get("messageSignature"), table.get("dsseEnvelope")
    material = {name: value for name, value in table["verificationMaterial"].items() if name != "publicKey" and value}
    if message:
        digest = message["messageDigest"]
        return [material, envelope, digest["algorithm"], decode(digest["digest"]), decode(message["signature"])]
    (signature,) = envelope["signatures"]
    return [material, message, envelope["payloadType"], decode(envelope["payload"]), decode(signature["sig"])]


def decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def assert_harmless(mutated: bytes, original: bytes, origin: str) -> None:
    if is_accepted(mutated):
        assert meaning(mutated) == meaning(original), f"{origin} accepts {mutated!r}"


@pytest.mark.parametrize("kind", BUNDLES)
def test_the_bundles_themselves_are_accepted(kind: str) -> None:
    assert is_accepted(BUNDLES[kind])


@pytest.mark.parametrize("kind", BUNDLES)
def test_every_bit_of_every_byte(kind: str) -> None:
    original = BUNDLES[kind]
    for at in range(len(original)):
        for bit in range(8):
            mutated = original[:at] + bytes([original[at] ^ 1 << bit]) + original[at + 1 :]
            assert_harmless(mutated, original, f"byte {at}, bit {bit}:")


@pytest.mark.parametrize("kind", BUNDLES)
def test_every_truncation_and_every_doubled_byte(kind: str) -> None:
    original = BUNDLES[kind]
    for at in range(len(original)):
        assert not is_accepted(original[:at])
        assert_harmless(original[:at] + original[at : at + 1] + original[at:], original, f"doubled byte {at}:")


@pytest.mark.parametrize("part", range(PARTS))
def test_random_mutations(part: int) -> None:
    """Half of them of bytes, half of the JSON; the seed in a failure's message reproduces it alone."""
    kind = list(BUNDLES)[part % len(BUNDLES)]
    first = first_seed()
    accepted = 0
    for seed in range(first, first + COUNT // PARTS):
        mutated = mutate(BUNDLES[kind], random.Random(seed))  # noqa: S311 - to be repeated, not to be unguessable
        assert_harmless(mutated, BUNDLES[kind], f"seed {seed} of {kind}:")
        accepted += is_unchanged(mutated, BUNDLES[kind])
    assert accepted < COUNT // PARTS // 2, "most mutations change nothing: they test nothing"


def is_unchanged(mutated: bytes, original: bytes) -> bool:
    return mutated == original
