"""What a rule says of one signature file, as a verification would ask it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import Finding, Judgement, Material
from hatch_sign.formats.sigstore.verifier import BundleVerifier
from hatch_sign.values.artifacts import Subject
from hatch_sign_sigstore.identity.kind import IdentityKind
from hatch_sign_sigstore.pep740.verifier import AttestationVerifier

from .crafted_sigstore import IDENTITY, ISSUER, NOW, CraftedSigstore

if TYPE_CHECKING:
    from hatch_sign_sigstore.identity.rule import IdentityRule

ARTIFACT = b"the artifact\n"
NAME = "demo-1.0-py3-none-any.whl"
VERIFIERS = {"sigstore": BundleVerifier(), "pep740": AttestationVerifier()}


@cache
def sigstore() -> CraftedSigstore:
    """Return one instance for all tests: it is never changed."""
    return CraftedSigstore()


@lru_cache(maxsize=32)
def rule_for(instance: CraftedSigstore, **settings: str) -> IdentityRule:
    """Return the rule that trusts the crafted identity, or what the settings say."""
    chosen = settings or {"identity": IDENTITY}
    table = {"issuer": ISSUER, "trusted-root": json.dumps(instance.trusted_root), **chosen}
    return IdentityKind().parse(table, read_nothing)


def read_nothing(name: str) -> bytes:
    raise AssertionError(name)


def find(data: bytes, *, format: str = "sigstore", artifact: bytes = ARTIFACT, name: str = NAME) -> Finding:  # noqa: A002 - the contract's word
    verifier = VERIFIERS[format]
    parsed = verifier.parse(data)
    subject = Subject(name, len(artifact), {"sha256": hashlib.sha256(artifact).digest()})
    return verifier.check(parsed, [subject], [])[name]


def judge(rule: IdentityRule, bundle: dict[str, Any] | bytes, *, format: str = "sigstore", days: int = 1) -> Judgement:  # noqa: A002 - as above
    """Return the rule's answer on a bundle that its format finds nothing wrong with, some days after it was made."""
    data = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
    finding = find(data, format=format)
    assert finding.problem is None, finding.detail
    (facts,) = finding.facts
    return rule.evaluate(Material(NAME, format, facts, NOW + timedelta(days=days)))
