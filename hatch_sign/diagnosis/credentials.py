"""A key that can be seen: its kind, how it is kept, its certificate, and what the configuration wants of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hatch_sign.diagnosis.checks import Check, attempt, ok, warning
from hatch_sign.diagnosis.usefulness import list_formats, look_at_formats
from hatch_sign.signing.credentials import (
    Credential,
    current_credential,
    require_protection,
    require_strength,
    require_timestamp,
)
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign.values.outcomes import SOON
from hatch_sign.values.public_keys import describe_key, encode_public_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import SignatureSettings
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.registry import Registry
    from hatch_sign.trust.policy import Policy
    from hatch_sign.values.protection import ProtectionLevel


@dataclass(frozen=True, slots=True)
class Expected:
    """What a key is held against: the configured signatures by it, and the instant, which is aware.

    `policy` is whom the configuration trusts; None where it trusts nobody, or is not there.
    """

    now: datetime
    signatures: tuple[SignatureSettings, ...] = ()
    minimum_protection: ProtectionLevel | None = None
    policy: Policy | None = None


def look_at_key(signer: CheckedSigner, expected: Expected, registry: Registry, *, is_open: bool = True) -> Iterator[Check]:
    """Yield what there is to say of a key that was opened, or listed without a login. Raises HatchSignError."""
    about = display(signer.reference)
    fingerprint = hashlib.sha256(encode_public_key(signer.public_key)).hexdigest()
    yield ok("public key", f"{describe_key(signer.public_key)}, sha256:{fingerprint}")
    require_strength(signer)
    if is_open:
        yield _schemes(signer)
    yield from attempt("protection", lambda: _protection(signer, expected.minimum_protection), about=about)[0]
    # What several signatures have in common is told once.
    told: set[Check] = set()
    for check in _credentials(signer, expected, registry):
        if check not in told:
            told.add(check)
            yield check


def _schemes(signer: CheckedSigner) -> Check:
    if not signer.schemes:
        message = "the key, its policy and the mechanisms leave nothing to sign by"
        raise UnsupportedError(message, remedy="allow signing for the key, or use a token with the mechanisms for it")
    return ok("schemes", ", ".join(scheme.label for scheme in signer.schemes))


def _protection(signer: CheckedSigner, minimum: ProtectionLevel | None) -> Iterator[Check]:
    protection = require_protection(signer, minimum)
    claims = [f"{name}: {value}" for name, value in protection.claims.items()]
    yield ok("protection", "; ".join([f"{protection.level.value}: {protection.summary}", *claims]))


def _credentials(signer: CheckedSigner, expected: Expected, registry: Registry) -> Iterator[Check]:
    about = display(signer.reference)
    chains = dict.fromkeys([settings.certificates for settings in expected.signatures] or [None])
    for chain in chains:
        found, ended = attempt("certificate", partial(_certificates, signer, chain, expected.now), about=about)
        yield from found
        if not ended:
            continue
        for settings in expected.signatures:
            if settings.certificates == chain:
                yield from attempt("timestamp", partial(_timestamp, signer, settings), about=about)[0]
                yield from look_at_formats(signer, settings, expected.policy, registry, now=expected.now)
    if not expected.signatures:
        yield from attempt("formats", lambda: list_formats(signer, registry), about=about)[0]


def _certificates(signer: CheckedSigner, chain: Path | None, now: datetime) -> Iterator[Check]:
    """Yield the certificate of the key and the dates of its chain. Raises ConfigurationError where it is for another key."""
    credential: Credential = current_credential(signer, chain)
    if not credential.certificates:
        yield ok("certificate", "none: signatures name the bare key")
        return
    leaf, *issuers = credential.certificates
    where = display(chain) if chain is not None else "beside the key"
    yield _leaf(leaf, where, now, lives_for_days=signer.needs_timestamp)
    for issuer in issuers:
        if when := _when(issuer, now):
            yield warning("issuer", f"the certificate of {_name(issuer)} {when}", "get the present one from the authority")


def _timestamp(signer: CheckedSigner, settings: SignatureSettings) -> Iterator[Check]:
    """Yield what will prove the time of signing, where the key needs it. Raises ConfigurationError where nothing does."""
    require_timestamp(signer, settings.timestamp, optional=settings.timestamp_optional)
    if signer.needs_timestamp:
        yield ok("timestamp", f"asked of {display(settings.timestamp[0])}")


def _leaf(leaf: Certificate, where: str, now: datetime, *, lives_for_days: bool) -> Check:
    when = _when(leaf, now)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        message = f"{_name(leaf)}, {where}: it {when}"
        raise CustodyError(message, remedy="get one that is valid now from the authority: `hatch-sign key csr`")
    if when and not lives_for_days:
        return warning("certificate", f"{_name(leaf)}, {where}: it {when}", "renew it: `hatch-sign key csr`")
    return ok("certificate", f"{_name(leaf)}, {where}, for this key until {_instant(leaf.not_valid_after_utc)}")


def _when(certificate: Certificate, now: datetime) -> str:
    """Return what there is to say of its time, both ends inclusive (RFC 5280 §4.1.2.5); empty where it lasts."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now:
        return f"ended at {_instant(ends)}"
    if begins > now:
        return f"begins at {_instant(begins)}"
    return f"ends at {_instant(ends)}" if ends - now <= SOON else ""


def _name(certificate: Certificate) -> str:
    return display(describe_subject(certificate))


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"
