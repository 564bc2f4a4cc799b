"""An identity that was proven: who it is, how its key is kept, and what it can make of what the configuration wants."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hatch_sign.contract.bundle_signers import SignsByBundle
from hatch_sign.diagnosis.checks import Check, attempt, ok, warning
from hatch_sign.signing.credentials import require_protection
from hatch_sign.signing.identities import bundling_producer, unused_settings
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.custody.bundle_signer import CheckedBundleSigner
    from hatch_sign.diagnosis.credentials import Expected
    from hatch_sign.registry import Registry
    from hatch_sign.values.protection import ProtectionLevel


def look_at_identity(signer: CheckedBundleSigner, expected: Expected, registry: Registry) -> Iterator[Check]:
    """Yield what there is to say of an identity that was proven. Raises HatchSignError."""
    about = display(signer.reference)
    yield ok("identity", f"{display(signer.identity)}, vouched for by {display(signer.issuer)}")
    yield from attempt("protection", partial(_protection, signer, expected.minimum_protection), about=about)[0]
    for settings in expected.signatures:
        if unused := unused_settings(settings):
            yield warning("settings", unused, "leave them out, or give them to a signature by a key")
        for name in settings.formats:
            yield from attempt(f"format {display(name)}", partial(_format, name, signer.reference, registry), about=about)[0]
    if not expected.signatures:
        yield _formats(registry)


def _protection(signer: CheckedBundleSigner, minimum: ProtectionLevel | None) -> Iterator[Check]:
    protection = require_protection(signer, minimum)
    yield ok("protection", f"{protection.level.value}: {protection.summary}")


def _format(name: str, reference: str, registry: Registry) -> Iterator[Check]:
    format_ = registry.format(name)
    if format_.kind != "manifest":  # an unsigned list, which the sidecars of this signature sign
        bundling_producer(format_, reference)
        yield ok(f"format {display(name)}", "as a Sigstore bundle")


def _formats(registry: Registry) -> Check:
    able = [name for name, each in registry.formats().items() if isinstance(each.producer(), SignsByBundle)]
    return ok("formats", display(", ".join(able)))
