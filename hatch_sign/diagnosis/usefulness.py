"""What a key is good for: the formats that can carry its signatures, and whether the configuration would trust them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.model import SignatureSettings
from hatch_sign.contract import Facts, Finding, NeedsCertificate
from hatch_sign.contract.kinds import signing_producer
from hatch_sign.custody.gated import unchained
from hatch_sign.diagnosis.checks import Check, attempt, ok, warning
from hatch_sign.signing.credentials import choose_scheme, current_credential, wanted_schemes
from hatch_sign.signing.seal import RunSeal
from hatch_sign.trust.policy import judge
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_sign.contract import Format
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.registry import Registry
    from hatch_sign.trust.policy import Policy
    from hatch_sign.values.algorithms import Scheme

_END = " ends at "
"""In what a policy warns of: a rule or a certificate has not long to go."""


def look_at_formats(
    signer: CheckedSigner, settings: SignatureSettings, policy: Policy | None, registry: Registry, *, now: datetime
) -> Iterator[Check]:
    """Yield, for each format of a configured signature that signs, its scheme, and who would trust what comes out."""
    for name in settings.formats:
        yield from attempt(
            f"format {display(name)}",
            partial(_format, signer, name, settings, policy, registry, now=now),
            about=display(signer.reference),
        )[0]


def list_formats(signer: CheckedSigner, registry: Registry) -> Iterator[Check]:
    """Yield which of the installed formats can carry signatures by this key."""
    able = []
    for name, format_ in registry.formats().items():
        if format_.kind == "manifest":
            continue
        try:
            scheme = unchained(partial(_scheme, signer, format_, SignatureSettings(None, signer.reference)), subject=name)
        except HatchSignError:
            continue
        able.append(f"{name} by {scheme.label}")
    if able:
        yield ok("formats", display(", ".join(able)))
    else:
        yield warning("formats", "none that is installed can be made with this key", "`hatch-sign plugins` lists them")


def _format(
    signer: CheckedSigner,
    name: str,
    settings: SignatureSettings,
    policy: Policy | None,
    registry: Registry,
    *,
    now: datetime,
) -> Iterator[Check]:
    format_ = registry.format(name)
    if format_.kind == "manifest":
        return  # an unsigned list, which the sidecars of this signature sign
    scheme = _scheme(signer, format_, settings)
    yield ok(f"format {display(format_.name)}", f"by {scheme.label}")
    if policy is not None and {format_.name, settings.name} & set(policy.require):
        yield from _trust(_facts(signer, format_, settings, scheme, now), policy, format_, settings)


def _scheme(signer: CheckedSigner, format_: Format, settings: SignatureSettings) -> Scheme:
    """Return what the format would sign by. Raises UnsupportedError where it cannot, or not without a certificate."""
    producer = signing_producer(format_)
    scheme = choose_scheme(format_.name, wanted_schemes(producer, signer, _options(settings, format_)), signer)
    if isinstance(producer, NeedsCertificate):
        producer.require_certificate(current_credential(signer, settings.certificates).certificates)
    return scheme


def _options(settings: SignatureSettings, format_: Format) -> Mapping[str, Any]:
    return settings.options.get(format_.name, {})


def _facts(signer: CheckedSigner, format_: Format, settings: SignatureSettings, scheme: Scheme, now: datetime) -> Facts:
    """Return what a signature would prove, with the certificates that the format would carry; nothing is signed."""
    credential = current_credential(signer, settings.certificates)
    options = _options(settings, format_)
    seal = RunSeal(signer, credential.public_key, credential.certificates, scheme, now, None, options, None, ())
    carried = tuple(signing_producer(format_).carries(seal))
    return Facts(credential.public_key, scheme, b"", carried)


def _trust(facts: Facts, policy: Policy, format_: Format, settings: SignatureSettings) -> Iterator[Check]:
    # A rule for certain artifacts only is one that would vouch: which they are is not known here.
    rules = tuple(replace(rule, artifacts=None) for rule in policy.rules)
    judged = judge(replace(policy, rules=rules), Finding([facts]), artifact="", format=format_.name, signature=settings.name)
    subject = f"trust in {display(format_.name)}"
    if judged.verdict is not Verdict.TRUSTED:
        found = f"the configuration would not trust what this key signs ({judged.verdict.value}): {display(judged.detail)}"
        yield warning(subject, found, "let a rule of `verify.trust` vouch for this key or certificate")
    elif judged.warnings:
        for text in judged.warnings:  # that of an end among them, which alone has a date to be ready for
            yield warning(subject, display(text), "renew it before then" if _END in text else "")
    else:
        yield ok(subject, f"{display(judged.signer or '')} is trusted")
