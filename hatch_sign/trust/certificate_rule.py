"""Judging a signature by the certificate of its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.contract import Judgement
from hatch_sign.trust.chains import check_chain
from hatch_sign.trust.names import difference
from hatch_sign.trust.revocation_statements import Standing
from hatch_sign.trust.strength import weakness
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.late_errors import late_errors
from hatch_sign.values.outcomes import Verdict

if TYPE_CHECKING:
    from hatch_sign.contract import Material
    from hatch_sign.trust.chains import Chain
    from hatch_sign.trust.revocation import RevocationCheck
    from hatch_sign.values.public_keys import PublicKey

CODE_SIGNING = "code-signing"

_UNASKED = Standing()


@dataclass(frozen=True, slots=True)
class CertificateRule:
    """Trusts whom one of `roots` certifies, directly or through others, as exactly `subject` and for `usage`.

    Whether an authority took a certificate back is asked by `revocation`; without it, by nobody.
    """

    roots: tuple[x509.Certificate, ...]
    subject: x509.Name
    usage: x509.ObjectIdentifier
    smallest_rsa: int
    intermediates: tuple[x509.Certificate, ...] = ()
    revocation: RevocationCheck | None = None

    @property
    def keys(self) -> Sequence[PublicKey]:
        """None: the certificates come with the signatures."""
        return ()

    def evaluate(self, material: Material) -> Judgement:
        """Judge. Never raises."""
        certificates = material.facts.certificates
        if not certificates:
            return Judgement(Verdict.UNTRUSTED, "the signature brings no certificate")
        try:
            return self._judge(certificates, material)
        except late_errors() as error:
            return Judgement(Verdict.UNTRUSTED, f"a certificate is malformed: {display(error)}")

    def _judge(self, certificates: Sequence[x509.Certificate], material: Material) -> Judgement:
        leaf, key = certificates[0], material.facts.public_key
        if leaf.public_key() != key:
            return Judgement(Verdict.UNTRUSTED, "the certificate is for another key than the one that signed")
        if weak := weakness(key, self.smallest_rsa):
            return Judgement(Verdict.UNTRUSTED, weak)
        chain = check_chain(
            certificates,
            roots=self.roots,
            intermediates=self.intermediates,
            usage=self.usage,
            at=material.signed_by,
        )
        if chain.problem and chain.ended is None:
            return Judgement(Verdict.UNTRUSTED, chain.problem)
        signer = leaf.subject.rfc4514_string()
        # A name that was never right says more than the end of a certificate that would not have helped.
        if other := difference(leaf.subject, self.subject):
            return Judgement(Verdict.WRONG_IDENTITY, other, signer, leaf.not_valid_after_utc, chain=chain.certificates)
        standing = self.revocation.examine(chain.certificates, material) if self.revocation else _UNASKED
        verdict, detail, warnings = self._settle(chain, standing)
        return Judgement(verdict, detail, signer, leaf.not_valid_after_utc, warnings, chain=chain.certificates)

    def _settle(self, chain: Chain, standing: Standing) -> tuple[Verdict, str, tuple[str, ...]]:
        """Return what remains to be said of the right signer: the verdict, its detail, and what to warn of."""
        if standing.revoked:
            return Verdict.REVOKED, standing.revoked, ()
        if chain.problem:
            return Verdict.EXPIRED, chain.problem, ()
        if standing.unknown and self.revocation is not None and self.revocation.required:
            return Verdict.INDETERMINATE, standing.unknown, ()
        return Verdict.TRUSTED, standing.later, (standing.unknown,) if standing.unknown else ()


def parse_usage(text: str) -> x509.ObjectIdentifier:
    """Return the extended key usage that ``code-signing`` or a dotted number names. Raises ConfigurationError."""
    if text == CODE_SIGNING:
        return ExtendedKeyUsageOID.CODE_SIGNING
    try:
        usage = x509.ObjectIdentifier(text)
    except ValueError:
        usage = None
    if usage is None or usage == ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE:
        message = f"`extended-key-usage` is '{display(text)}', expected `{CODE_SIGNING}` or the dotted number of one usage"
        raise ConfigurationError(message, remedy="leave it out for code signing")
    return usage
