"""What a revocation list or an OCSP answer says of one certificate, and at which instants that counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

TOLERANCE = timedelta(minutes=5)
"""How far the clock of an authority may be from ours."""

_WITHOUT_END = timedelta(hours=1)
"""How long what names no next update counts: its authority says that there is always something newer (RFC 6960 §4.2.2.1)."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """An authority's word that a certificate is not good: `since` when, why, and whether it may take that back."""

    since: datetime
    reason: str = ""
    on_hold: bool = False

    def __str__(self) -> str:
        """Return it as people read it."""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{'on hold' if self.on_hold else 'revoked'} since {_instant(self.since)}{reason}"


def revoked_since(date: datetime, reason: x509.ReasonFlags | None, extensions: x509.Extensions) -> Revoked:
    """Return what an entry says: since the date on which the certificate became invalid, where it tells an earlier one."""
    try:
        invalid = extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        invalid = date
    return Revoked(min(date, invalid), reason.value if reason else "", reason is x509.ReasonFlags.certificate_hold)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a list or an answer whose signature holds says of one certificate: `revoked`, or nothing against it.

    `source` names it to people. `signer_ends` is when the certificate of one who signed it for the issuer ends, and
    `keeps_since` since when certificates that ended are still listed.
    """

    source: str
    this_update: datetime
    next_update: datetime | None
    revoked: Revoked | None = None
    signer_ends: datetime | None = None
    keeps_since: datetime | None = None

    def is_final(self) -> bool:
        """Return whether nothing newer can change it: a certificate that was revoked never becomes good again."""
        return self.revoked is not None and not self.revoked.on_hold

    def untimely(self, certificate: x509.Certificate, *, at: datetime, kept_since: datetime | None) -> str:
        """Return why it does not count at the instant `at`; empty where it does.

        It must have been made before `at`, and be current then. Of a certificate that has ended, current lists need say
        nothing any more (RFC 5280 §3.3): what counts then is one that says of itself that it keeps what ended, or
        one that was kept since: made between `kept_since`, when the signature was there, and that end.
        """
        ended = certificate.not_valid_after_utc
        if self.this_update > at + TOLERANCE:
            return f"{self.source} is of {_instant(self.this_update)}, which is yet to come"
        if at > ended and kept_since is not None and kept_since <= self.this_update <= ended:
            return ""
        last = self.next_update or self.this_update + _WITHOUT_END
        if self.signer_ends is not None:
            last = min(last, self.signer_ends)
        if at > last + TOLERANCE:
            return f"{self.source} is out of date since {_instant(last)}"
        if self.this_update > ended and self.revoked is None and not self._keeps(ended):
            return f"{self.source} was made after the certificate had ended, and need not name it any more"
        return ""

    def _keeps(self, ended: datetime) -> bool:
        return self.keeps_since is not None and self.keeps_since <= ended


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a chain, in phrases for people, each empty where there is nothing of the kind.

    `revoked`: one of its certificates is not good. `unknown`: of which it could not be found out, and why. `later`: one was
    revoked, and only after the signature had been there.
    """

    revoked: str = ""
    unknown: str = ""
    later: str = ""


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"
