"""A signed file of its own, sidecar or aggregate, made and checked by a key or by an identity: whichever the bench has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hatch_sign.signing.bundle_work import BundleBench, is_by_identity, make_by_bundle, require_same_key
from hatch_sign.signing.witnessing import is_witnessed
from hatch_sign.signing.work import Made, Workbench, is_ours, make_aggregate, make_sidecar, require_consistent

if TYPE_CHECKING:
    from hatch_sign.contract import Finding
    from hatch_sign.signing.planned import PlannedFile
    from hatch_sign.values.artifacts import Subject

Bench = Workbench | BundleBench
"""What all signatures of one format under one key, or by one identity, share."""


def make_file(bench: Bench, file: PlannedFile, subjects: Sequence[Subject]) -> Made:
    """Return the planned file over `subjects`, observed, signed and checked. Raises HatchSignError."""
    is_sidecar = file.format.kind == "sidecar"
    if isinstance(bench, BundleBench):
        return make_by_bundle(bench, subjects[0].name if is_sidecar else file.path.name, subjects)
    return make_sidecar(bench, subjects[0]) if is_sidecar else make_aggregate(bench, file.path.name, subjects)


def require_written(bench: Bench, made: Made, subjects: Sequence[Subject]) -> Mapping[str, Finding]:
    """Return the findings in what was written. Raises SigningError unless each subject is signed by the key that made it."""
    what = "what was written"
    if isinstance(bench, BundleBench):
        return require_same_key(bench, made, subjects, what=what)
    return require_consistent(bench, made, subjects, what=what)


def is_current(bench: Bench, data: bytes, subjects: Sequence[Subject]) -> bool:
    """Return whether `data` may stay: it is over these subjects, by this key with its certificates, or by this identity."""
    if isinstance(bench, BundleBench):
        return is_by_identity(bench, data, subjects)
    return is_ours(bench, data, subjects)


def is_stamped(bench: Bench, findings: Mapping[str, Finding]) -> bool:
    """Return whether the signatures hold what the configured witnesses were asked for; so, too, where there are none.

    An identity has no others than those of its instance, without which it makes no bundle.
    """
    if isinstance(bench, BundleBench) or not bench.witnesses:
        return True
    return all(is_witnessed(facts, bench.witnesses) for found in findings.values() for facts in found.facts)


def signed_already(bench: Bench) -> str:
    """Return what outcomes say of a file that stays as it is."""
    return f"already signed by this {'identity' if isinstance(bench, BundleBench) else 'key'}"
