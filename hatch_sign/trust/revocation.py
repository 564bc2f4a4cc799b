"""Whether the certificates of a chain were taken back, from lists and answers that are at hand or fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509 import ocsp

from hatch_sign.trust.revocation_answers import read_answer
from hatch_sign.trust.revocation_lists import read_list
from hatch_sign.trust.revocation_statements import Standing
from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from hatch_sign.contract import Material, RevocationSource
    from hatch_sign.trust.revocation_statements import Revoked, Statement

_FOREIGN = "an answer is about another certificate"

_MOST_REASONS = 4
"""Of reasons why nothing could be used, that are told."""


@dataclass(frozen=True, slots=True)
class RevocationCheck:
    """Asks of every certificate but the root whether it was revoked: `files` first, and what may be fetched of the others.

    `required` says that a certificate of which it cannot be found out is not to be trusted. `files` are lists and answers
    in DER, `delegates` certificates of keys that may sign lists for an issuer of the same name.
    """

    required: bool
    files: tuple[bytes, ...] = ()
    delegates: tuple[x509.Certificate, ...] = ()

    def examine(self, chain: Sequence[x509.Certificate], material: Material) -> Standing:
        """Return how `chain`, leaf to root and found to hold, stands for the signature of `material`.

        Delegates are not looked for among the certificates that the signature brings: one of a key that was taken back
        would let whoever holds it say that nothing was.
        """
        asked = [_Asked(tuple(chain[index:]), self.delegates, material) for index in range(len(chain) - 1)]
        found = {each: each.weigh(self.files, at_hand=True) for each in asked}
        source = material.revocations
        unknown = [each for each in asked if not found[each].known]
        if source is not None and unknown:
            source.expect([(each.certificate, each.issuer) for each in unknown])
            found |= {each: each.fetch(source, found[each].reasons) for each in unknown}
        return _standing(found, material)


@dataclass(frozen=True, slots=True)
class _Found:
    """What lists and answers say of one certificate: whether any is `known` to speak of it, and why others do not count."""

    known: bool
    revoked: Revoked | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One certificate that is asked about: the first of `chain`, which leads from it to the root."""

    chain: tuple[x509.Certificate, ...]
    delegates: tuple[x509.Certificate, ...]
    material: Material

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def issuer(self) -> x509.Certificate:
        return self.chain[1]

    def fetch(self, source: RevocationSource, reasons: Sequence[str]) -> _Found:
        fetched = self.weigh(source.about(self.certificate, self.issuer), at_hand=False)
        return _Found(fetched.known, fetched.revoked, (*reasons, *source.missing(self.certificate), *fetched.reasons))

    def weigh(self, given: Iterable[bytes], *, at_hand: bool) -> _Found:
        """Let those that say revoked decide, the earliest of them, and of the others that count the newest.

        A certificate that was revoked stays so, and an old list that names it counts against it. All that is at hand is
        looked at, and what is about others is passed over; of what is fetched, the first that counts is enough. A list that
        was kept for a certificate that ended since must be at hand: from a network, it might be one that hides a later one.
        """
        kept_since = self.material.proven if at_hand else None
        final, counting, reasons = [], [], []
        for data in given:
            statement = _read(data, self.chain, self.delegates)
            if statement is None or isinstance(statement, str):
                reasons.append(statement or ("" if at_hand else _FOREIGN))
            elif statement.revoked is not None and statement.is_final():
                final.append(statement.revoked)
            elif late := statement.untimely(self.certificate, at=self.material.at, kept_since=kept_since):
                reasons.append(late)
            else:
                counting.append(statement)
            if not at_hand and (final or counting):
                break
        if final:
            return _Found(known=True, revoked=min(final, key=lambda each: each.since))
        newest = max(counting, key=lambda each: each.this_update, default=None)
        told = tuple(reason for reason in reasons if reason)
        return _Found(newest is not None, newest.revoked if newest else None, told)


@lru_cache(maxsize=64)  # the same few lists speak of every artifact of a release, and may be large
def _read(
    data: bytes, chain: tuple[x509.Certificate, ...], delegates: tuple[x509.Certificate, ...]
) -> Statement | str | None:
    """Return what a list or an answer in DER says of the first of `chain`, or why it may not be used; None for others."""
    try:
        return read_list(x509.load_der_x509_crl(data), chain[0], chain[1:], delegates)
    except late_errors():
        pass  # whatever it is, it is no list
    try:
        return read_answer(ocsp.load_der_ocsp_response(data), chain[0], chain[1])
    except late_errors():
        return "what was given is neither a revocation list nor an OCSP answer, or is damaged"


def _standing(found: dict[_Asked, _Found], material: Material) -> Standing:
    later, unknown = "", ""
    for asked, answer in found.items():
        subject = asked.certificate.subject.rfc4514_string()
        if answer.revoked is not None and (material.proven is None or material.proven >= answer.revoked.since):
            return Standing(revoked=f"{subject} is {answer.revoked}")
        if answer.revoked is not None:
            later = later or f"{subject} is {answer.revoked}, which is after the signature was made"
        elif not answer.known:
            unknown = unknown or f"whether {subject} was revoked could not be found out: {_told(answer.reasons, material)}"
    return Standing(unknown=unknown, later=later)


def _told(reasons: Sequence[str], material: Material) -> str:
    told = list(dict.fromkeys(reasons))[:_MOST_REASONS]
    if material.revocations is None:
        told.append("nothing may be fetched" if told else "no list or answer is at hand, and nothing may be fetched")
    return ", ".join(told) or "it names no place to ask, and no list or answer is at hand"
