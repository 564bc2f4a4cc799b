"""No mutation of a bundle or an attestation is trusted, unless it says the very same as the one that was signed.

What one means is read here by json and base64 alone. HATCH_SIGN_MUTATIONS sets how many are tried.
"""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.contract import Material
from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_sigstore.pep740.attestation import PUBLISH, encode_attestation
from tests.formats import mutating
from tests.formats.json_mutating import mutate, unambiguous

from .crafted_sigstore import NOW, statement
from .judging import ARTIFACT, NAME, find, rule_for, sigstore

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = mutating.mutation_count(1200)
BYTE_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    mutating.replace_bytes,
    mutating.change_byte,
    mutating.cut,
    mutating.repeat,
)


def originals() -> dict[str, bytes]:
    instance, payload = sigstore(), statement(NAME, ARTIFACT, PUBLISH, {})
    message = json.dumps(instance.message_bundle(ARTIFACT)).encode()
    envelope = json.dumps(instance.statement_bundle(payload)).encode()
    return {"message": message, "envelope": envelope, "pep740": encode_attestation(parse_bundle(envelope))}


def is_trusted(kind: str, data: bytes, artifact: bytes = ARTIFACT) -> bool:
    format_ = "pep740" if kind == "pep740" else "sigstore"
    try:
        finding = find(data, format=format_, artifact=artifact)
    except (MalformedError, KeyError):  # what names another artifact has no finding for this one
        return False
    judged = [rule_for(sigstore()).evaluate(Material(NAME, format_, facts, NOW)) for facts in finding.facts]
    return any(each.verdict is Verdict.TRUSTED for each in judged)


def decoded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with base64 in place of its text, and without what says the same when it is absent."""
    if isinstance(value, dict):
        kept = {name: decoded(inner) for name, inner in value.items() if name not in UNPROVEN and inner not in NOTHING}
        return {name: inner for name, inner in kept.items() if inner != {}}
    if isinstance(value, list):
        return [decoded(inner) for inner in value]
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value.replace("\n", ""), validate=True)
    except ValueError:
        return value.partition("\n\n")[0]  # of a checkpoint, what is signed: the names of its signers are not


NOTHING: tuple[object, ...] = (None, "0", [])
UNPROVEN = frozenset({"keyid", "mediaType"})
"""What nothing rests on."""


def assert_harmless(kind: str, mutated: bytes, original: bytes, origin: str) -> None:
    if mutated != original and is_trusted(kind, mutated):
        told = decoded(json.loads(mutated, object_pairs_hook=unambiguous))
        assert told == decoded(json.loads(original)), f"{origin} trusts {mutated!r}"


@pytest.mark.parametrize("kind", ["message", "envelope", "pep740"])
def test_the_original_is_trusted_for_its_artifact_alone(kind: str) -> None:
    original = originals()[kind]
    assert is_trusted(kind, original)
    assert not is_trusted(kind, original, ARTIFACT + b"!")


@pytest.mark.parametrize("kind", ["message", "envelope", "pep740"])
def test_random_mutations(kind: str) -> None:
    """Half of them of bytes, half of the JSON; the seed in a failure's message reproduces it, with the same original."""
    original, first = originals()[kind], mutating.first_seed()
    for seed in range(first, first + COUNT // 3):
        rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be unguessable
        choose = rng.random() < 0.5 and kind != "pep740"
        mutated = mutate(original, rng) if choose else rng.choice(BYTE_MUTATIONS)(original, rng)
        assert_harmless(kind, mutated, original, f"seed {seed} of {kind}:")


@pytest.mark.parametrize("kind", ["message", "envelope", "pep740"])
def test_a_flipped_bit_in_every_part(kind: str) -> None:
    """A bit of each byte that is behind base64, so that the JSON and the base64 are as good as before."""
    original = originals()[kind]
    table = json.loads(original)
    behind_base64 = parts(table)
    assert {"canonicalizedBody", "keyId", "rootHash", "signedEntryTimestamp"} <= {name for _, name in behind_base64}
    for holder, name in behind_base64:
        text = holder[name]
        data = bytearray(base64.b64decode(text))
        for at in range(0, len(data), 1 + len(data) // 12):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            holder[name] = base64.b64encode(changed).decode()
            assert_harmless(kind, json.dumps(table).encode(), original, f"{name}, byte {at}:")
        holder[name] = text
    assert is_trusted(kind, json.dumps(table).encode())


def parts(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Return where the base64 is."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    found = [
        (value, name)
        for name, inner in items
        if isinstance(inner, str) and isinstance(decoded({"x": inner}).get("x"), bytes)
    ]
    return [*found, *(each for _, inner in items for each in parts(inner))]
