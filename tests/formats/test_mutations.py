"""No mutation of a bundle is accepted, unless it says the very same: the same signature over the same claim.

What a bundle means is read here by json and base64 alone, so that a mistake of the parser cannot hide behind itself.
The hint and the key id are left out of the meaning: nothing is decided by them. HATCH_SIGN_MUTATIONS sets how many.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hatch_sign.formats.sigstore.verifier import BundleVerifier
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import MalformedError

from .mutating import first_seed, mutation_count
from .vectors import P256, SUBJECT, dsse_bundle, encode, message_bundle

VERIFIER = BundleVerifier()
CHANGED = Subject(SUBJECT.name, SUBJECT.size, {name: bytes(len(digest)) for name, digest in SUBJECT.digests.items()})
KEYS = [P256.public_key()]
BUNDLES = {"message": encode(message_bundle()), "dsse": encode(dsse_bundle())}
COUNT = mutation_count(20_000)
PARTS = 4
"""Tests that the mutations are divided among, half for each kind of bundle."""

Path = tuple[str | int, ...]


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


def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "what has a member twice has two meanings"
    return dict(pairs)


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


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three mutations."""
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 3)):
            data = rng.choice(BYTE_MUTATIONS)(data, rng)
        return data
    table = json.loads(data)
    for _ in range(rng.randint(1, 3)):
        paths = list(paths_of(table))
        rng.choice(TREE_MUTATIONS)(table, rng.choice(paths), rng)
    return rng.choice(SPELLINGS)(table)


def paths_of(value: Any, above: Path = ()) -> Iterator[Path]:  # noqa: ANN401 - JSON
    """Yield the path of every member and item below `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*above, name)
        yield from paths_of(inner, (*above, name))


def holder(table: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the object or array that holds the last step of `path`."""
    for step in path[:-1]:
        table = table[step]
    return table


def replace_bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randint(1, 3)) + data[at + rng.randint(0, 3) :]


def swap_character(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.choice([b'"', b"A", b"=", b"0", b",", b"}", b"\\", b" ", b"/", b"\xff"]) + data[at + 1 :]


def cut(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 40) :] or b"{"


def repeat(data: bytes, rng: random.Random) -> bytes:
    at, end = sorted(rng.sample(range(len(data) + 1), 2)) if len(data) > 1 else (0, 1)
    return data[:end] + data[at:]


def remove(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    del rng  # there is one way
    del holder(table, path)[path[-1]]
    table.setdefault("verificationMaterial", {"publicKey": {}})


def put_value(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    holder(table, path)[path[-1]] = rng.choice(
        ["", "QQ==", "SHA2_512", None, 0, -1, 1.5, True, [], {}, [[]], {"hint": ""}, {"rawBytes": "QQ=="}, 10**30]
    )


def copy_value(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    other = rng.choice(list(paths_of(table)))
    text = json.dumps(holder(table, other)[other[-1]])  # a copy, or an object would come to hold itself
    holder(table, path)[path[-1]] = json.loads(text)


def rename(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    container = holder(table, path)
    value = container.pop(path[-1])
    if isinstance(container, dict):
        container[
            rng.choice(["certificate", "x509CertificateChain", "tlogEntries", "payload", "keyid", "", "Signature"])
        ] = value
    else:
        container += [value, value]


def change_text(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    container = holder(table, path)
    text = container[path[-1]]
    if isinstance(text, str) and text:
        at = rng.randrange(len(text))
        character = rng.choice("ABCDabcd0123+/=-_ \n\u00e9")
        container[path[-1]] = text[:at] + character + text[at + rng.randint(0, 1) :]


def flip_decoded(table: Any, path: Path, rng: random.Random) -> None:  # noqa: ANN401 - JSON
    """Flip a bit behind the base64, which is then canonical again."""
    container = holder(table, path)
    try:
        data = bytearray(base64.b64decode(container[path[-1]], validate=True))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    except (TypeError, ValueError):
        return
    container[path[-1]] = base64.b64encode(data).decode()


BYTE_MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [replace_bytes, swap_character, cut, repeat]
TREE_MUTATIONS: list[Callable[[Any, Path, random.Random], None]] = [
    remove,
    put_value,
    copy_value,
    rename,
    change_text,
    flip_decoded,
]
SPELLINGS: list[Callable[[Any], bytes]] = [
    lambda table: json.dumps(table).encode(),
    lambda table: json.dumps(table, indent=1, sort_keys=True).encode(),
    lambda table: json.dumps(table, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    lambda table: json.dumps(table).encode().replace(b'"signature"', b'"signature":"","signature"', 1),
]
