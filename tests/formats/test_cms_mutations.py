"""No mutation of a CMS signature is accepted, unless it says the very same: the same signature, over the same attributes.

What a signature means is read here by hand, so that a mistake of the parser cannot hide behind itself. What nobody signs and
nothing is decided by is left out of the meaning: numbers of versions, revocation lists, unsigned attributes. Timestamps are
among these, and are judged by others: they must come out as they are. HATCH_SIGN_MUTATIONS sets how many.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from hatch_sign.contract import Material
from hatch_sign.trust.certificate_rule import CertificateRule, parse_usage
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import as_public_key
from tests.authority import NOW, chain_pem, code_signing_chain

from .cms_samples import CHANGED, SUBJECT, VERIFIER, Stamping, made
from .der_trees import CONSTRUCTED, NULL, Node, primitive, sequence, tree
from .mutating import change_byte, cut, first_seed, mutation_count, repeat, replace_bytes
from .originals import originals

if TYPE_CHECKING:
    from hatch_sign.contract import Facts
    from hatch_sign.values.public_keys import PublicKey

# cryptography says so of names in certificates that nobody looks at; it is no more than a word.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning")

ORIGINALS_OF = "cms"


@dataclass(frozen=True)
class Signer:
    """Whose certificate is in a sample, and under which root."""

    certificate: x509.Certificate
    root: x509.Certificate

    @property
    def public_key(self) -> PublicKey:
        return as_public_key(self.certificate.public_key(), subject="the sample")


def make_originals() -> dict[str, bytes]:
    p256, rsa = code_signing_chain("ecdsa-p256"), code_signing_chain("rsa-3072")
    return {
        "ecdsa": made(p256),
        "stamped": made(p256, witnesses=[Stamping()]),
        "rsa": made(rsa, Scheme.RSA_PKCS1_SHA256),
        "pss": made(rsa, Scheme.RSA_PSS_SHA256),
        "p256 chain": chain_pem(p256.certificate, p256.root),
        "rsa chain": chain_pem(rsa.certificate, rsa.root),
        "now": NOW.isoformat().encode(),
    }


MADE = originals(ORIGINALS_OF, make_originals)
AT = datetime.fromisoformat(MADE["now"].decode())
P256, RSA = (Signer(*x509.load_pem_x509_certificates(MADE[chain])) for chain in ("p256 chain", "rsa chain"))
SIGNERS = {"ecdsa": P256, "stamped": P256, "rsa": RSA, "pss": RSA}
SIGNATURES = {kind: (MADE[kind], signer) for kind, signer in SIGNERS.items()}
COUNT = mutation_count()
TIMESTAMP = bytes.fromhex("2a864886f70d010910020e")


def trusted(data: bytes, kind: str) -> Facts | None:
    """Return what is trusted by the root of the sample; for other bytes nothing may be, and nothing else be raised."""
    try:
        parsed = VERIFIER.parse(data)
    except MalformedError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the other outcome is as good
        return None
    holder = SIGNATURES[kind][1]
    assert VERIFIER.digests(parsed) <= {"sha256", "sha384", "sha512"}
    assert VERIFIER.check(parsed, [CHANGED], [holder.public_key])[CHANGED.name].problem is not None
    finding = VERIFIER.check(parsed, [SUBJECT], [])[SUBJECT.name]
    assert bool(finding.facts) == (finding.problem is None)
    rule = CertificateRule((holder.root,), holder.certificate.subject, parse_usage("code-signing"), 3072)
    for facts in finding.facts:
        if rule.evaluate(Material("a", "cms", facts, AT)).verdict is Verdict.TRUSTED:
            return facts
    return None


def signer_of(data: bytes) -> list[Node]:
    """Return the fields of the only signer."""
    (signed,) = tree(data).children[1].children
    (signer,) = next(node for node in reversed(signed.children) if node.tag == 0x31).children
    return signer.children


def meaning(data: bytes) -> list[Any]:
    """Return what a verdict may rest on, as it is encoded; certificates are compared as they were found."""
    _, _, hash_, attributes, algorithm, signature, *_ = signer_of(data)
    return [
        hash_.children[0].contents,
        attributes.encoded(),
        without_nulls(algorithm).encoded(),
        signature.contents,
    ]


def without_nulls(node: Node) -> Node:
    """Return a value without the NULLs in it, which stand where hashes could have parameters, or are left out."""
    return Node(node.tag, node.contents, [without_nulls(child) for child in node.children if child.tag != NULL])


def stamps(data: bytes) -> list[bytes]:
    """Return what the unsigned attribute for timestamps holds."""
    attributes = [each for node in signer_of(data)[6:] for each in node.children]
    return [
        value.encoded()
        for each in attributes
        if each.children[0].contents == TIMESTAMP
        for value in each.children[1].children
    ]


def assert_harmless(mutated: bytes, kind: str, origin: str) -> bool:
    """Return whether it is still trusted: then it must mean what the sample means."""
    facts = trusted(mutated, kind)
    if facts is None:
        return False
    original, holder = SIGNATURES[kind]
    assert meaning(mutated) == meaning(original), f"{origin} accepts {mutated.hex()}"
    assert facts.certificates[0] == holder.certificate, origin
    assert list(facts.timestamps) == stamps(mutated), origin
    return True


@pytest.mark.parametrize("kind", SIGNATURES)
def test_the_signatures_themselves_are_trusted(kind: str) -> None:
    assert assert_harmless(SIGNATURES[kind][0], kind, "the sample")


def test_every_bit_of_every_byte() -> None:
    kind, harmless = "ecdsa", 0
    original = SIGNATURES[kind][0]
    for at in range(len(original)):
        for bit in range(8) if COUNT >= 100_000 else [at % 8]:
            mutated = original[:at] + bytes([original[at] ^ 1 << bit]) + original[at + 1 :]
            harmless += assert_harmless(mutated, kind, f"byte {at}, bit {bit}:")
    assert harmless < len(original) // 20, "nearly everything is signed, or must be as it is"


@pytest.mark.parametrize("kind", ["ecdsa", "stamped"])
def test_every_truncation_and_every_doubled_byte(kind: str) -> None:
    original = SIGNATURES[kind][0]
    for at in range(len(original)):
        assert trusted(original[:at], kind) is None
        assert_harmless(original[:at] + original[at : at + 1] + original[at:], kind, f"doubled byte {at}:")


@pytest.mark.parametrize("kind", SIGNATURES)
def test_random_mutations(kind: str) -> None:
    """Half of them of bytes, half of the tree; the seed in a failure's message reproduces it alone."""
    original = SIGNATURES[kind][0]
    first = first_seed()
    accepted = 0
    for seed in range(first, first + COUNT // len(SIGNATURES)):
        mutated = mutate(original, random.Random(seed))  # noqa: S311 - to be repeated, not to be unguessable
        accepted += assert_harmless(mutated, kind, f"seed {seed} of {kind}:")
    assert accepted < COUNT // len(SIGNATURES) // 2, "most mutations change nothing: they test nothing"


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three mutations."""
    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 3)):
            data = rng.choice(BYTE_MUTATIONS)(data, rng) or b"\x30"
        return data
    root = tree(data)
    for _ in range(rng.randint(1, 3)):
        rng.choice(TREE_MUTATIONS)(rng.choice(list(root.walk())), root, rng)
    return root.encoded()


def remove(node: Node, root: Node, rng: random.Random) -> None:
    del root
    if node.children:
        node.children.pop(rng.randrange(len(node.children)))


def double(node: Node, root: Node, rng: random.Random) -> None:
    del root
    if node.children:
        node.children.insert(rng.randint(0, len(node.children)), rng.choice(node.children))


def shuffle(node: Node, root: Node, rng: random.Random) -> None:
    del root
    rng.shuffle(node.children)


def graft(node: Node, root: Node, rng: random.Random) -> None:
    """Put a copy of what is anywhere in the place of what is here."""
    if node.children:
        copy = tree(rng.choice(list(root.walk())).encoded())
        node.children[rng.randrange(len(node.children))] = copy


def retag(node: Node, root: Node, rng: random.Random) -> None:
    del root
    tags = (
        [0x30, 0x31, 0xA0, 0xA1] if node.tag & CONSTRUCTED else [0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x18, 0x80]
    )
    node.tag = rng.choice(tags)


def change_contents(node: Node, root: Node, rng: random.Random) -> None:
    leaf = node
    while leaf.tag & CONSTRUCTED and leaf.children:
        leaf = rng.choice(leaf.children)
    contents = bytearray(leaf.contents or b"\0")
    contents[rng.randrange(len(contents))] ^= 1 << rng.randrange(8)
    leaf.contents = bytes(contents)
    del root


def insert(node: Node, root: Node, rng: random.Random) -> None:
    del root
    if node.tag & CONSTRUCTED:
        made_up = [primitive(NULL, b""), primitive(0x02, b"\1"), sequence(), primitive(0x04, rng.randbytes(20))]
        node.children.insert(rng.randint(0, len(node.children)), rng.choice(made_up))


def empty(node: Node, root: Node, rng: random.Random) -> None:
    del root, rng
    node.children, node.contents = [], b""


BYTE_MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [replace_bytes, change_byte, cut, repeat]
TREE_MUTATIONS: list[Callable[[Node, Node, random.Random], None]] = [
    remove,
    double,
    shuffle,
    graft,
    retag,
    change_contents,
    insert,
    empty,
]
