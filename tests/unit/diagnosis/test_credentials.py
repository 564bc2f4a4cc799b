"""Certificates and their dates, protection, and what the configuration wants of a key; the key is listed, not opened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from hatch_sign.configuration.model import SignatureSettings
from hatch_sign.contract.backends import KeyDescription, Symptom
from hatch_sign.custody.checked_signer import CheckedSigner
from hatch_sign.diagnosis.credentials import Expected, look_at_key
from hatch_sign.diagnosis.listing import ListedSigner
from hatch_sign.registry import Registry
from hatch_sign.trust.certificate_rule import CertificateRule
from hatch_sign.trust.key import KeyRule
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import UnsupportedError
from hatch_sign.values.outcomes import SOON
from hatch_sign.values.protection import Protection, ProtectionLevel

from ...contract.sketches.software_keys import software_key
from ..trust.authorities import CODE_SIGNING, NOW, YEAR, Holder, issue, p256, rsa_key
from .backends import PowerlessSigner

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import Judgement, Material
    from hatch_sign.values.public_keys import PublicKey

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Seen:
    """A key with its chain, as a backend lists it."""

    chain: tuple[Holder, ...] = ()
    key: PublicKey = field(default_factory=lambda: p256().public_key())
    reference: str = "odd:key"

    def signer(self) -> CheckedSigner:
        key = self.chain[0].key.public_key() if self.chain else self.key
        protection = Protection(ProtectionLevel.SELF_ASSERTED, "a sketch", {"model": "T-1000"})
        certificates = tuple(holder.certificate for holder in self.chain)
        listed = ListedSigner(KeyDescription(self.reference, "key", "00", key, protection, certificates))
        return CheckedSigner(listed, reference=self.reference)

    def look(self, expected: Expected | None = None) -> dict[str, Symptom]:
        """Return what is found, by subject; none is told twice."""
        checks = look_at_key(self.signer(), expected or Expected(NOW), Registry(), is_open=False)
        found = [check.symptom for check in checks]
        assert len({(symptom.subject, symptom.found) for symptom in found}) == len(found)
        return {symptom.subject: symptom for symptom in found}


def certified(*, begins: datetime = NOW - YEAR, ends: datetime = NOW + YEAR, root_ends: datetime = NOW + YEAR) -> Seen:
    root = issue("Root", None, authority=True, ends=root_ends)
    return Seen((issue("Signer", root, begins=begins, ends=ends), root))


def configured(chain: Path | None = None, *formats: str, policy: Policy | None = None) -> Expected:
    settings = SignatureSettings(None, "odd:key", formats or ("sigstore",), certificates=chain)
    return Expected(NOW, (settings,), policy=policy)


def test_a_bare_key_is_told_with_its_protection_and_its_formats() -> None:
    found = Seen().look()
    assert found["public key"].found.startswith("ecdsa-p256, sha256:")
    assert found["protection"].found == "self-asserted: a sketch; model: T-1000"
    assert found["certificate"].found == "none: signatures name the bare key"
    assert "sigstore by ecdsa-sha256" in found["formats"].found
    assert "checksums" not in found["formats"].found
    assert "schemes" not in found  # those of the token are seen after a login


@pytest.mark.parametrize(
    ("begins", "ends", "status", "words"),
    [
        (NOW - YEAR, NOW + YEAR, "ok", "for this key until 2027-06-01"),
        (NOW - YEAR, NOW + SOON + DAY, "ok", "for this key until"),
        (NOW - YEAR, NOW + SOON - DAY, "warning", "it ends at 2026-06-30"),
        (NOW - YEAR, NOW, "warning", "it ends at 2026-06-01"),
        (NOW - YEAR, NOW - DAY, "failure", "it ended at 2026-05-31"),
        (NOW, NOW + YEAR, "ok", "for this key until"),
        (NOW + DAY, NOW + YEAR, "failure", "it begins at 2026-06-02"),
    ],
)
def test_a_certificate_has_its_time(begins: datetime, ends: datetime, status: str, words: str) -> None:
    certificate = certified(begins=begins, ends=ends).look()["certificate"]
    assert certificate.status == status
    assert words in certificate.found
    assert "CN=Signer" in certificate.found
    assert bool(certificate.remedy) == (status != "ok")


def test_an_issuer_that_has_ended_is_a_warning() -> None:
    found = certified(root_ends=NOW - DAY).look()
    assert (found["certificate"].status, found["issuer"].status) == ("ok", "warning")
    assert "CN=Root" in found["issuer"].found
    assert "issuer" not in certified().look()


def test_a_configured_chain_goes_before_that_of_the_token(tmp_path: Path) -> None:
    root = issue("Root", None, authority=True)
    leaf = issue("In a file", root)
    file = tmp_path / "chain.pem"
    file.write_text(leaf.pem + root.pem)
    seen = Seen((issue("On the token", root, key=leaf.key),))
    assert "On the token" in seen.look()["certificate"].found
    found = seen.look(configured(file))
    assert "In a file" in found["certificate"].found
    assert str(file) in found["certificate"].found
    assert found["format sigstore"].found == "by ecdsa-sha256"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (issue("Other", None).pem, "the first certificate is for another key than odd:key"),
        ("nothing", "neither certificates in PEM nor one in DER"),
        (None, "cannot be read"),
    ],
)
def test_a_chain_that_does_not_fit_is_a_failure_and_formats_are_not_looked_at(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    file = tmp_path / "chain.pem"
    if content is not None:
        file.write_text(content)
    found = Seen().look(configured(file))
    assert found["certificate"].status == "failure"
    assert reason in found["certificate"].found
    assert "format sigstore" not in found


def test_a_key_is_held_against_the_configured_protection() -> None:
    expected = replace(configured(), minimum_protection=ProtectionLevel.PROVIDER_ASSERTED)
    found = Seen().look(expected)
    assert found["protection"].status == "failure"
    assert "expected at least provider-asserted" in found["protection"].found
    assert found["format sigstore"].status == "ok"  # which does not depend on it
    weaker = replace(expected, minimum_protection=ProtectionLevel.SELF_ASSERTED)
    assert Seen().look(weaker)["protection"].status == "ok"


def test_a_short_rsa_key_ends_it() -> None:
    short = rsa.generate_private_key(65537, 2048).public_key()
    with pytest.raises(UnsupportedError, match="an RSA key of 2048 bits"):
        Seen(key=short).look()
    assert Seen(key=rsa_key(3072).public_key()).look()["formats"].status == "ok"


def test_each_configured_format_is_looked_at_on_its_own() -> None:
    found = Seen().look(configured(None, "sigstore", "checksums", "cmz", "statement"))
    assert found["format cmz"].status == "failure"
    assert "no format named 'cmz' is installed" in found["format cmz"].found
    assert found["format sigstore"].status == found["format statement"].status == "ok"
    assert "format checksums" not in found  # a list, which nobody signs by itself


def test_a_format_is_looked_at_under_its_settings() -> None:
    seen = Seen((issue("Signer", None, key=rsa_key(3072)),))

    def scheme(name: str, **options: object) -> Symptom:
        settings = SignatureSettings(None, "odd:key", (name,), options={name: options})
        return seen.look(Expected(NOW, (settings,)))[f"format {name}"]

    assert scheme("cms").found == "by rsa-pkcs1-sha256"
    assert scheme("cms", **{"cms-pss": True}).found == "by rsa-pss-sha256"
    assert scheme("authenticode", **{"authenticode-hash": "sha384"}).found == "by rsa-pkcs1-sha384"
    wrong = scheme("authenticode", **{"authenticode-hash": "sha1"})
    assert (wrong.status, wrong.found[:31]) == ("failure", "`authenticode-hash` is 'sha1', ")


def test_a_format_says_itself_what_it_does_not_take() -> None:
    found = certified().look(configured(None, "authenticode"))["format authenticode"]
    assert found.status == "failure"
    assert "an ecdsa-p256 key makes no Authenticode signature that Windows accepts" in found.found


@pytest.mark.parametrize("name", ["cms", "authenticode"])
def test_a_format_that_names_the_certificate_is_not_made_with_a_bare_key(name: str) -> None:
    bare = Seen(key=rsa_key(3072).public_key())
    found = bare.look(configured(None, name))[f"format {name}"]
    assert (found.status, found.remedy) == (
        "failure",
        "set `certificates` to the file that holds the chain, leaf first",
    )
    assert f"{name} by" not in bare.look()["formats"].found
    with_certificate = Seen((issue("Signer", None, key=rsa_key(3072)),))
    assert with_certificate.look(configured(None, name))[f"format {name}"].status == "ok"
    assert f"{name} by" in with_certificate.look()["formats"].found


def test_what_two_signatures_share_is_told_once() -> None:
    both = tuple(SignatureSettings(name, "odd:key", ("sigstore", name)) for name in ("sigstore", "statement"))
    found = Seen().look(Expected(NOW, both))
    assert {"format sigstore", "format statement", "certificate"} <= set(found)


def test_what_the_key_signs_is_held_against_the_policy() -> None:
    key = p256().public_key()

    def policy(trusted: PublicKey, **scope: object) -> Policy:
        rule = ScopedRule(KeyRule(trusted, 3072), "the rule", **scope)
        return Policy((rule,), ("sigstore",), NOW)

    def trust(policy: Policy) -> Symptom:
        return Seen(key=key).look(configured(policy=policy))["trust in sigstore"]

    assert trust(policy(key)).status == "ok"
    assert trust(policy(key, artifacts=("*.whl",))).status == "ok"
    other = trust(policy(p256().public_key()))
    assert other.status == "warning"
    assert "untrusted" in other.found
    assert "another ecdsa-p256 key" in other.found
    assert trust(policy(key, formats=("cms",))).status == "warning"
    assert "ended" in trust(policy(key, not_after=NOW - DAY)).found
    soon = trust(policy(key, not_after=NOW + DAY))
    assert (soon.status, soon.remedy) == ("warning", "renew it before then")
    assert "trust in statement" not in Seen(key=key).look(configured(None, "statement", policy=policy(key)))


def test_only_what_ends_is_to_be_renewed() -> None:
    class Doubtful(KeyRule):
        def evaluate(self, material: Material) -> Judgement:
            return replace(super().evaluate(material), warnings=("nobody said whether it was revoked",))

    key = p256().public_key()
    rule = ScopedRule(Doubtful(key, 3072), "the rule", not_after=NOW + DAY)
    settings = configured(policy=Policy((rule,), ("sigstore",), NOW)).signatures
    expected = Expected(NOW, settings, policy=Policy((rule,), ("sigstore",), NOW))
    found = [check.symptom for check in look_at_key(Seen(key=key).signer(), expected, Registry(), is_open=False)]
    assert [(each.found, each.remedy) for each in found if each.subject == "trust in sigstore"] == [
        ("nobody said whether it was revoked", ""),
        ("the trust rule the rule ends at 2026-06-02 12:00:00+00:00", "renew it before then"),
    ]


def test_a_certificate_that_the_format_leaves_out_is_trusted_by_nobody() -> None:
    """The rule wants a certificate, and bundles hold a hint at the key unless the configuration says otherwise."""
    root = issue("Root", None, authority=True)
    leaf = issue("Signer", root, usages=CODE_SIGNING)
    rule = CertificateRule((root.certificate,), leaf.certificate.subject, CODE_SIGNING[0], 3072)
    policy = Policy((ScopedRule(rule, "the rule"),), ("sigstore",), NOW)

    def trust(**options: bool) -> Symptom:
        settings = SignatureSettings(None, "odd:key", ("sigstore",), options={"sigstore": options})
        return Seen((leaf,)).look(Expected(NOW, (settings,), policy=policy))["trust in sigstore"]

    without = trust()
    assert without.status == "warning"
    assert "the signature brings no certificate" in without.found
    carried = trust(**{"bundle-certificate": True})
    assert (carried.status, carried.found) == ("ok", "CN=Signer,O=Example Ltd,C=SI is trusted")


def test_each_chain_of_a_key_is_looked_at(tmp_path: Path) -> None:
    leaf = issue("In a file", None)
    (tmp_path / "chain.pem").write_text(leaf.pem)
    chains = ((tmp_path / "chain.pem", "sigstore"), (None, "statement"), (tmp_path / "missing.pem", "toy"))
    both = tuple(SignatureSettings(name, "odd:key", (name,), certificates=chain) for chain, name in chains)
    seen = Seen(key=leaf.key.public_key())
    found = [check.symptom for check in look_at_key(seen.signer(), Expected(NOW, both), Registry(), is_open=False)]
    assert [(each.status, each.subject) for each in found if each.subject not in {"public key", "protection"}] == [
        ("ok", "certificate"),
        ("ok", "format sigstore"),
        ("ok", "certificate"),
        ("ok", "format statement"),
        ("failure", "certificate"),
    ]


def test_a_key_that_signs_by_nothing_ends_it() -> None:
    signer = CheckedSigner(PowerlessSigner(software_key(KeyAlgorithm.ECDSA_P256)), reference="odd:key")
    with pytest.raises(UnsupportedError, match="leave nothing to sign by"):
        list(look_at_key(signer, Expected(NOW), Registry()))
    listed = list(look_at_key(signer, Expected(NOW), Registry(), is_open=False))
    assert listed[-1].symptom == Symptom(
        "warning", "formats", "none that is installed can be made with this key", "`hatch-sign plugins` lists them"
    )


def test_a_listed_key_signs_nothing() -> None:
    signer = ListedSigner(
        KeyDescription("odd:key", "key", "00", p256().public_key(), Protection(ProtectionLevel.SOFTWARE, "-"))
    )
    with pytest.raises(UnsupportedError, match="nobody has logged in"):
        signer.sign_digest(bytes(32), Scheme.ECDSA_SHA256)
    with pytest.raises(UnsupportedError, match="nobody has logged in"):
        signer.sign_message(b"x")
