"""No mutation of a list or of an answer counts, unless what was signed and the signature are as they were.

Those that say revoked must never become good either. HATCH_SIGN_MUTATIONS sets how many are tried.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from hatch_sign.contract import Facts, Material
from hatch_sign.trust.revocation import RevocationCheck
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.public_keys import as_public_key
from tests.authority import DAY, NOW, chain_pem
from tests.formats.mutating import first_seed, mutation_count
from tests.formats.originals import originals

from .revoking import ISSUER, OF_ROOT, ROOT, SIGNER, Giver

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning"),
    pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive:UserWarning"),
]

COUNT = mutation_count()
ORIGINALS_OF = "revocation"


def make_originals() -> dict[str, bytes]:
    leaf, responder = SIGNER.certificate, ISSUER.holder("responder", usage="ocsp")
    return {
        "a list": ISSUER.revocation_list(),
        "a list that names the signer": ISSUER.revocation_list({leaf: (NOW - DAY, None)}),
        "an answer": ISSUER.ocsp_response(leaf),
        "an answer of a responder": ISSUER.ocsp_response(leaf, status="revoked", responder=responder),
        "chain": chain_pem(*SIGNER.certificates, ROOT.certificate),
        "of the root": OF_ROOT,
        "now": NOW.isoformat().encode(),
    }


MADE = originals(ORIGINALS_OF, make_originals)
AT = datetime.fromisoformat(MADE["now"].decode())
CHAIN = tuple(x509.load_pem_x509_certificates(MADE["chain"]))
KEY = as_public_key(CHAIN[0].public_key(), subject="the signer")
FACTS = Facts(KEY, Scheme.ECDSA_SHA256, b"checked by the format", CHAIN[:-1])
CHECK = RevocationCheck(required=True, files=(MADE["of the root"],))


def signed_of_list(data: bytes) -> tuple[bytes, ...]:
    crl = x509.load_der_x509_crl(data)
    return crl.tbs_certlist_bytes, crl.signature


def signed_of_answer(data: bytes) -> tuple[bytes, ...]:
    answer = ocsp.load_der_ocsp_response(data)
    return answer.tbs_response_bytes, answer.signature


@dataclass(frozen=True)
class Case:
    data: bytes
    signed: Callable[[bytes], tuple[bytes, ...]]
    is_revoked: bool


CASES = {
    "a list": Case(MADE["a list"], signed_of_list, is_revoked=False),
    "a list that names the signer": Case(MADE["a list that names the signer"], signed_of_list, is_revoked=True),
    "an answer": Case(MADE["an answer"], signed_of_answer, is_revoked=False),
    "an answer of a responder": Case(MADE["an answer of a responder"], signed_of_answer, is_revoked=True),
}


def standing(data: bytes) -> tuple[bool, bool]:
    """Return whether it says revoked, and whether it says nothing; anything raised is a failure."""
    found = CHECK.examine(CHAIN, Material("app-1.0.whl", "cms", FACTS, AT, None, Giver([data])))
    return bool(found.revoked), bool(found.unknown)


def is_the_same(case: Case, data: bytes) -> bool:
    try:
        return case.signed(data) == case.signed(case.data)
    except (ValueError, x509.InvalidVersion):
        return False


@pytest.mark.parametrize("name", CASES)
def test_the_originals_count(name: str) -> None:
    assert standing(CASES[name].data) == (CASES[name].is_revoked, False)


@pytest.mark.parametrize("name", CASES)
def test_random_mutations(name: str) -> None:
    case = CASES[name]
    first = first_seed()
    for seed in range(first, first + COUNT // len(CASES)):
        mutated = mutate(case.data, random.Random(seed))  # noqa: S311 - to be repeated, not to be unguessable
        revoked, unknown = standing(mutated)
        if (revoked, unknown) != (False, True):
            assert is_the_same(case, mutated), f"seed {seed}: {mutated.hex()}"
            assert revoked == case.is_revoked, f"seed {seed}"


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Return a copy with one to three mutations: a bit, some bytes, a part cut out or doubled, a length of ASN.1."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data)) if data else 0
        end = at + rng.randint(0, 8)
        mutations = (
            data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :] if data else b"\x30",
            data[:at] + rng.randbytes(rng.randint(1, 3)) + data[at + rng.randint(0, 3) :],
            data[:at] + data[end:],
            data[:end] + data[at:],
            data[:at] + rng.choice([b"\x80", b"\x84\xff\xff\xff\xff", b"\x00", b"\x7f"]) + data[at + 1 :],
        )
        data = rng.choice(mutations)
    return data
