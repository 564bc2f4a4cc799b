"""No mutation of a timestamp is accepted, unless it says the very same: the same content, by the same certificate.

What a token says is found here as bytes, without any parser: the content that is signed, and the certificate of its signer,
must stand in what was accepted as they stand in the original. What may differ is what nobody signs: other certificates, the
names of hashes that nothing goes by, unsigned attributes. HATCH_SIGN_MUTATIONS sets how many.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from asn1crypto import cms

from hatch_sign.formats.rfc3161 import Timestamp, parse_timestamp
from hatch_sign.values.errors import MalformedError
from tests.authority import make_tsa

from .mutating import change_byte, cut, first_seed, mutation_count, repeat, replace_bytes
from .originals import originals
from .stamps import changed, der

SIGNATURE = b"signature"
COUNT = mutation_count()
BITS = range(8) if COUNT >= 100_000 else ()
"""Of each byte that are flipped; without any, one of each byte."""

ORIGINALS_OF = "timestamps"


def make_originals() -> dict[str, bytes]:
    p256, rsa = make_tsa("ecdsa-p256", 3), make_tsa("rsa-2048")
    return {
        "P-256": changed(holder=p256, accuracy={"seconds": 1}, unsigned=[b"unsigned"]).token(SIGNATURE),
        "RSA": changed(holder=rsa, identifiers=[(1, None), (2, None)]).reply(SIGNATURE),
        "signer P-256": der(p256.certificate),
        "signer RSA": der(rsa.certificate),
    }


MADE = originals(ORIGINALS_OF, make_originals)
TOKENS = {kind: MADE[kind] for kind in ("P-256", "RSA")}
SIGNERS = {kind: MADE[f"signer {kind}"] for kind in TOKENS}


def content_of(kind: str) -> bytes:
    """Return what is signed in the original."""
    token = parse_timestamp(TOKENS[kind]).token
    content: bytes = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].contents
    return content


CONTENTS = {kind: content_of(kind) for kind in TOKENS}
ORIGINALS = {kind: parse_timestamp(data) for kind, data in TOKENS.items()}


def accepted(data: bytes) -> Timestamp | None:
    try:
        return parse_timestamp(data)
    except MalformedError:
        return None


def assert_harmless(kind: str, mutated: bytes, origin: str) -> bool:
    """Fail where a mutation is accepted with another meaning; return whether it was accepted at all."""
    found = accepted(mutated)
    if found is None:
        return False
    original = ORIGINALS[kind]
    assert replace(found, token=b"", certificates=()) == replace(original, token=b"", certificates=()), origin
    assert found.certificates[0] == original.certificates[0], origin
    assert CONTENTS[kind] in mutated, origin
    assert SIGNERS[kind] in mutated, origin
    return True


@pytest.mark.parametrize("kind", TOKENS)
def test_the_tokens_themselves_are_accepted(kind: str) -> None:
    assert assert_harmless(kind, TOKENS[kind], "the original")
    assert ORIGINALS[kind].vouches_for(SIGNATURE)


@pytest.mark.parametrize("kind", TOKENS)
def test_bits_of_every_byte(kind: str) -> None:
    """A flip inside what is signed, or inside the certificate of the signer, is never accepted."""
    original = TOKENS[kind]
    guarded = set()
    for part in (CONTENTS[kind], SIGNERS[kind]):
        guarded |= set(range(original.index(part), original.index(part) + len(part)))
    harmless = 0
    for at in range(len(original)):
        for bit in BITS or (at % 8,):
            mutated = original[:at] + bytes([original[at] ^ 1 << bit]) + original[at + 1 :]
            found = assert_harmless(kind, mutated, f"byte {at}, bit {bit}")
            assert not (found and at in guarded), f"byte {at}, bit {bit}"
            harmless += found
    assert 0 < harmless < max(1, len(BITS)) * (len(original) - len(guarded))


@pytest.mark.parametrize("kind", TOKENS)
def test_every_truncation_and_every_doubled_byte(kind: str) -> None:
    original = TOKENS[kind]
    for at in range(len(original)):
        assert accepted(original[:at]) is None
        assert_harmless(kind, original[:at] + original[at : at + 1] + original[at:], f"doubled byte {at}")


@pytest.mark.parametrize("kind", TOKENS)
def test_random_mutations(kind: str) -> None:
    """The seed in a failure's message reproduces it alone."""
    first = first_seed()
    unchanged = 0
    for seed in range(first, first + COUNT // len(TOKENS)):
        mutated = mutate(TOKENS[kind], random.Random(seed))  # noqa: S311 - to be repeated, not to be unguessable
        assert_harmless(kind, mutated, f"seed {seed} of {kind}")
        unchanged += mutated == TOKENS[kind]
    assert unchanged < COUNT // len(TOKENS) // 2, "most mutations change nothing: they test nothing"


def mutate(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(MUTATIONS)(data, rng) or b"\x30"
    return data


def swap_values(data: bytes, rng: random.Random) -> bytes:
    """Exchange two stretches of one length, such as values of one kind are."""
    size = rng.randint(1, 32)
    first, second = sorted(rng.randrange(max(1, len(data) - size)) for _ in range(2))
    if second < first + size:
        return data
    one, other = data[first : first + size], data[second : second + size]
    return data[:first] + other + data[first + size : second] + one + data[second + size :]


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [replace_bytes, change_byte, cut, swap_values, repeat]
