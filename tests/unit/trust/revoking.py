"""An authority with one signer, and what the rule that trusts it says once it is shown lists and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.contract import Facts, Judgement, Material
from hatch_sign.trust.certificate import CertificateKind
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.outcomes import Verdict
from tests.authority import DAY, NOW, Authority, Holder

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

ROOT = Authority("Root")
ISSUER = Authority("Issuer", above=ROOT)
SIGNER = ISSUER.holder("signer")
SUBJECT = "CN=signer,O=Example Ltd,C=SI"
OF_ROOT = ROOT.revocation_list()
NOTHING_REVOKED = (OF_ROOT, ISSUER.revocation_list())


@dataclass
class Giver:
    """A source that gives what it holds about every certificate, and remembers what it was asked."""

    given: Sequence[bytes] = ()
    reasons: Sequence[str] = ()
    expected: list[x509.Certificate] = field(default_factory=list)
    asked: list[x509.Certificate] = field(default_factory=list)
    taken: int = 0

    def expect(self, pairs: Sequence[tuple[x509.Certificate, x509.Certificate]]) -> None:
        self.expected += [certificate for certificate, _ in pairs]

    def about(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Iterable[bytes]:
        assert certificate.issuer == issuer.subject
        self.asked.append(certificate)
        for data in self.given:
            self.taken += 1
            yield data

    def missing(self, certificate: x509.Certificate) -> Sequence[str]:
        assert certificate in self.asked
        return self.reasons


def judge(
    *files: bytes,
    signer: Holder = SIGNER,
    mode: str = "require",
    answers: Sequence[bytes] = (),
    at: datetime = NOW,
    proven: datetime | None = None,
    source: Giver | None = None,
    **settings: Any,  # noqa: ANN401 - of TOML
) -> Judgement:
    """Judge a signature by `signer` under a rule with these lists and OCSP answers in files."""
    held = {f"{number}.crl": data for number, data in enumerate(files)}
    held_answers = {f"{number}.ors": data for number, data in enumerate(answers)}
    table = {
        "certificate-roots": signer.root.public_bytes(Encoding.PEM).decode(),
        "subject": SUBJECT,
        "revocation": mode,
        **({"revocation-lists": list(held)} if held else {}),
        **({"revocation-responses": list(held_answers)} if held_answers else {}),
        **settings,
    }
    rule = CertificateKind().parse(table, {**held, **held_answers}.__getitem__)
    facts = Facts(signer.key.public_key(), Scheme.ECDSA_SHA256, b"checked by the format", signer.certificates)
    return rule.evaluate(Material("app-1.0.whl", "cms", facts, at, proven, source))


def assert_unknown(judged: Judgement, reason: str) -> None:
    """Assert that a rule which requires it could not find out, for this reason."""
    assert (judged.verdict, judged.signer) == (Verdict.INDETERMINATE, SUBJECT)
    assert "was revoked could not be found out: " in judged.detail
    assert reason in judged.detail


def assert_revoked(judged: Judgement, detail: str) -> None:
    assert (judged.verdict, judged.detail, judged.signer) == (Verdict.REVOKED, detail, SUBJECT)


def day(number: int) -> datetime:
    """Return the instant some days from now, in the past if negative."""
    return NOW + number * DAY
