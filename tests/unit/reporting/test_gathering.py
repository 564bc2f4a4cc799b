"""From verdicts to what a report says of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from hatch_sign.artifacts.discovery import Artifact
from hatch_sign.configuration.model import TrustSettings, VerifySettings
from hatch_sign.contract import Judgement
from hatch_sign.formats import rfc3161
from hatch_sign.formats.rfc3161 import parse_timestamp
from hatch_sign.reporting.gathering import gather_report
from hatch_sign.reporting.model import Circumstances, Report
from hatch_sign.trust.certificate_rule import CertificateRule
from hatch_sign.trust.key import KeyRule
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.grounds import Grounds
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.reports import ArtifactReport
from tests.authority import NOW, Authority, chain_pem, make_key, make_tsa, name
from tests.certificate_damage import BIT_STRING, INTEGER, UTF8_STRING, with_damaged_name
from tests.formats.stamps import Stamp

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.formats.rfc3161 import Timestamp
    from hatch_sign.reporting.model import ChainEntry

KEY = make_key("ecdsa-p256")
LABEL = "verify.trust[0] (public-key release.pub)"
SIGNATURE = b"a signature"
NO_TIMES = (b'"x"', b"[1]", b"1e300", b"9" * 30)
ENTRY = {"logIndex": "7", "logId": {"keyId": "abc="}, "integratedTime": "1767225600"}
LOGGED = json.dumps({**ENTRY, "inclusionPromise": {"signedEntryTimestamp": "AA=="}}).encode()


def grounds(**changes: object) -> Grounds:
    plain = Grounds(KEY.public_key(), Scheme.ECDSA_SHA256, SIGNATURE, LABEL)
    return replace(plain, **changes)  # type: ignore[arg-type] # as the tests give them


def outcome(artifact: str = "demo-1.0.whl", verdict: Verdict = Verdict.TRUSTED, **changes: object) -> Outcome:
    plain = Outcome(artifact, "sigstore", "sigstore", verdict, grounds=grounds())
    return replace(plain, **changes)  # type: ignore[arg-type] # as above


def gathered(*outcomes: Outcome, roots: tuple[Certificate, ...] = (), kind: str = "key", **settings: object) -> Report:
    table = TrustSettings(kind, {"public-key": "release.pub"}, LABEL, **settings)  # type: ignore[arg-type] # as above
    policy = Policy((ScopedRule(KeyRule(KEY.public_key(), 3072), LABEL),), ("sigstore",), NOW, roots)
    reports = [
        ArtifactReport(
            Artifact(Path("/dist", each.artifact), Path("/dist")),
            (each,),
            passed=each.verdict is Verdict.TRUSTED,
            subject=Subject(each.artifact, 5, {"sha256": bytes(32)}),
        )
        for each in outcomes
    ]
    circumstances = Circumstances("1.0", NOW, NOW, 0)
    return gather_report(reports, policy=policy, verify=VerifySettings(trust=(table,)), circumstances=circumstances)


def steps(chain: ChainEntry) -> list[str]:
    return [node.title for node in chain.nodes]


def token(signature: bytes = SIGNATURE, *, time: datetime = NOW) -> tuple[bytes, Certificate]:
    holder = make_tsa("ecdsa-p256")
    return Stamp(holder, time, imprint=hashlib.sha256(signature).digest()).token(), holder.root


# --- chains -----------------------------------------------------------------------------------------------------------


def test_a_bare_key_leads_from_the_artifact_to_the_rule() -> None:
    (chain,) = gathered(outcome()).chains
    assert steps(chain) == ["Artifact", "Signature", "Key", "Trust rule"]
    assert chain.nodes[0].lines == ("demo-1.0.whl", f"SHA-256 {'0' * 64}")
    assert chain.nodes[-1].lines == (LABEL,)
    assert chain.certificates == ()


def test_certificates_lead_to_the_root() -> None:
    root = Authority("Root")
    holder = Authority("Issuer", above=root).holder("Signer", key=KEY)
    chain = (*holder.certificates, root.certificate)
    report = gathered(outcome(grounds=grounds(chain=chain, certificates=holder.certificates)), kind="certificate")
    assert steps(report.chains[0])[2:] == ["Key", "Signer's certificate", "Issuer's certificate", "Root", "Trust rule"]
    assert [each.role for each in report.chains[0].certificates] == ["signer", "issuer", "root"]
    assert report.chains[0].certificates[2].subject == "CN=Root,O=Example Ltd,C=SI"


def test_certificates_that_the_rule_does_not_ask_for_are_told_apart() -> None:
    holder = Authority("Root").holder("Signer", key=KEY)
    (chain,) = gathered(outcome(grounds=grounds(certificates=holder.certificates))).chains
    assert steps(chain) == ["Artifact", "Signature", "Key", "Trust rule"]
    assert {each.role for each in chain.certificates} == {"brought along, not asked for"}


def test_a_refused_signature_ends_in_why() -> None:
    refused = outcome(verdict=Verdict.UNTRUSTED, detail="it was made by another key", grounds=grounds(rule=""))
    (chain,) = gathered(refused).chains
    assert steps(chain)[-1] == "Refused: untrusted"
    assert chain.nodes[-1].lines == ("it was made by another key",)
    assert not chain.trusted


def test_what_holds_no_readable_signature_has_no_chain() -> None:
    report = gathered(outcome(verdict=Verdict.UNSIGNED, grounds=None))
    assert report.chains == ()
    assert report.artifacts[0].signatures[0].chain is None


def test_artifacts_of_one_signer_share_a_chain_and_others_do_not() -> None:
    other = grounds(public_key=make_key("ecdsa-p256").public_key())
    many = [outcome(f"demo-{number}.whl") for number in range(5)]
    report = gathered(*many, outcome("other.whl", grounds=other), outcome("z.whl", verdict=Verdict.EXPIRED))
    assert [signature.chain for artifact in report.artifacts for signature in artifact.signatures] == [1] * 5 + [2, 3]
    first = report.chains[0].nodes[0]
    assert first.title == "5 artifacts"
    assert first.lines[-1] == "and 2 more"


def test_a_certificate_without_a_subject_is_told_by_its_other_names() -> None:
    names = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier("https://ci.example/release"), x509.RFC822Name("a@b.example")]
    )
    holder = Authority("Root").holder(x509.Name([]), key=KEY, extensions=[(names, True)])
    (chain,) = gathered(outcome(grounds=grounds(certificates=holder.certificates)), kind="identity").chains
    assert chain.certificates[0].subject == "https://ci.example/release, a@b.example"
    nobody = Authority("Root").holder(x509.Name([]), key=KEY)
    (chain,) = gathered(outcome(grounds=grounds(certificates=nobody.certificates)), kind="identity").chains
    assert chain.certificates[0].subject == "nobody"


def test_other_names_that_are_damaged_are_said_to_be() -> None:
    garbage = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x03abc")
    holder = Authority("Root").holder(x509.Name([]), key=KEY, extensions=[(garbage, True)])
    (chain,) = gathered(outcome(grounds=grounds(rule="", certificates=holder.certificates))).chains
    assert chain.certificates[0].subject == "cannot be read"


def test_what_is_inside_an_artifact_has_its_path_and_not_the_artifacts_digest() -> None:
    report = gathered(outcome(member="demo/native.pyd", format="authenticode"))
    assert report.artifacts[0].signatures[0].member == "demo/native.pyd"
    assert report.chains[0].nodes[0].lines == ("demo-1.0.whl/demo/native.pyd",)


@pytest.mark.parametrize("tag", [BIT_STRING, INTEGER, UTF8_STRING])
def test_a_damaged_certificate_is_described_as_far_as_it_can_be(tag: int) -> None:
    certificate = with_damaged_name(Authority("Root").holder("Signer", key=KEY).certificate, "Signer", tag=tag, first=0xFF)
    (chain,) = gathered(outcome(grounds=grounds(rule="", certificates=(certificate,)))).chains
    (described,) = chain.certificates
    assert described.issuer == "CN=Root,O=Example Ltd,C=SI"
    assert described.subject != "CN=Signer,O=Example Ltd,C=SI"
    assert len(described.sha256) == 64


# --- witnesses --------------------------------------------------------------------------------------------------------


def test_a_timestamp_tells_its_time_and_its_authority() -> None:
    stamp, root = token()
    (chain,) = gathered(outcome(time=NOW, grounds=grounds(timestamps=(stamp,))), roots=(root,)).chains
    (witness,) = chain.witnesses
    assert witness.by == "CN=Example Timestamp Authority,O=Example Ltd,C=SI"
    assert witness.times == (f"{NOW:%Y-%m-%d %H:%M:%S} UTC",)
    assert witness.doubt == ""
    assert witness.certificates[0].role == "timestamp authority"
    assert chain.nodes[-1].lines[-1] == "believed"
    assert chain.nodes[1].lines[-1] == f"proven at {NOW:%Y-%m-%d %H:%M:%S} UTC"


def test_timestamps_of_many_artifacts_are_one_witness() -> None:
    outcomes = []
    stamps = [token(time=NOW - timedelta(seconds=number)) for number in range(2)]
    for number, (stamp, _) in enumerate(stamps):
        outcomes.append(outcome(f"demo-{number}.whl", grounds=grounds(timestamps=(stamp,))))
    (chain,) = gathered(*outcomes, roots=tuple(root for _, root in stamps)).chains
    assert len(chain.witnesses[0].times) == 2


def test_timestamps_over_one_signature_are_read_once_for_all_its_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def noting(data: bytes) -> Timestamp:
        read.append(data)
        return parse_timestamp(data)

    monkeypatch.setattr(rfc3161, "parse_timestamp", noting)
    shared = grounds(timestamps=tuple(token(time=NOW - timedelta(minutes=number))[0] for number in range(32)))
    (chain,) = gathered(*(outcome(f"demo-{number}.whl", grounds=shared) for number in range(5))).chains
    assert len(chain.witnesses) == len(read) == 32


@pytest.mark.parametrize(
    ("signature", "believed", "doubt"),
    [
        (SIGNATURE, False, "the timestamp is by no configured authority"),
        (b"another", True, "the timestamp is over another signature"),
    ],
)
def test_a_timestamp_that_proves_nothing_says_why(signature: bytes, believed: bool, doubt: str) -> None:  # noqa: FBT001 - a row
    stamp, root = token(signature)
    (chain,) = gathered(outcome(grounds=grounds(timestamps=(stamp,))), roots=(root,) if believed else ()).chains
    assert doubt in chain.witnesses[0].doubt
    assert chain.nodes[-1].lines[-1].startswith("not believed: ")


@pytest.mark.parametrize("damaged", [b"", b"\x30\x03abc", b"\xff" * 50])
def test_a_damaged_timestamp_is_said_to_be(damaged: bytes) -> None:
    (chain,) = gathered(outcome(grounds=grounds(timestamps=(damaged,)))).chains
    assert chain.witnesses[0].by == "unknown"
    assert chain.witnesses[0].doubt


def test_a_log_entry_is_believed_only_where_the_rule_asks_the_log() -> None:
    logged = outcome(grounds=grounds(log_entries=(LOGGED,)))
    (asked,) = gathered(logged, kind="identity").chains
    assert asked.witnesses[0].times == ("entry 7, 2026-01-01 00:00:00 UTC",)
    assert asked.witnesses[0].by == "the log with key abc="
    assert asked.witnesses[0].doubt == ""
    (unasked,) = gathered(logged).chains
    assert unasked.witnesses[0].doubt == "the rule does not ask the log"


def test_a_time_that_a_log_has_not_promised_is_not_shown() -> None:
    (chain,) = gathered(outcome(grounds=grounds(log_entries=(json.dumps(ENTRY).encode(),))), kind="identity").chains
    assert chain.witnesses[0].times == ("entry 7",)


@pytest.mark.parametrize(
    "hostile",
    [b"", b"[]", b"7", b"null", b"{", b'{"logIndex": 1}', b'{"logIndex": 1, "logId": 7}', b"[" * 100_000, b"\xff"]
    + [
        b'{"logIndex": 1, "logId": {"keyId": ""}, "inclusionPromise": {"": 1}, "integratedTime": %s}' % time
        for time in NO_TIMES
    ],
)
def test_a_damaged_log_entry_is_said_to_be(hostile: bytes) -> None:
    (chain,) = gathered(outcome(grounds=grounds(log_entries=(hostile,)))).chains
    assert (chain.witnesses[0].by, chain.witnesses[0].doubt) == ("unknown", "cannot be read")


# --- artifacts and policy ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ("t", "The artifact is trusted"),
        ("u", "The artifact is rejected"),
        ("tt", "All 2 artifacts are trusted"),
        ("tu", "1 of 2 artifacts is rejected"),
        ("tuu", "2 of 3 artifacts are rejected"),
        ("uu", "All 2 artifacts are rejected"),
    ],
)
def test_the_headline_counts(verdicts: str, headline: str) -> None:
    words = {"t": Verdict.TRUSTED, "u": Verdict.UNTRUSTED}
    report = gathered(*(outcome(f"{number}.whl", words[verdict]) for number, verdict in enumerate(verdicts)))
    assert report.headline == headline
    assert report.passed == ("u" not in verdicts)


def test_an_artifact_has_its_size_and_digest_and_its_signatures_file() -> None:
    signed = outcome(sidecar="/dist/demo-1.0.whl.sigstore.json", grounds=grounds(claim="built by somebody"))
    (artifact,) = gathered(signed).artifacts
    assert (artifact.size, artifact.sha256) == (5, "0" * 64)
    assert artifact.signatures[0].file == "demo-1.0.whl.sigstore.json"
    assert artifact.signatures[0].claim == "built by somebody"


def test_the_policy_is_told_in_the_words_of_the_configuration() -> None:
    (rule,) = gathered(outcome(), formats=("sigstore",), not_after=NOW).policy.rules
    settings = dict(rule.settings)
    assert settings["public-key"] == "release.pub"
    assert settings["formats"] == "sigstore"
    assert settings["not-after"] == f"{NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert len(settings["key, SHA-256"]) == 64


def test_a_rule_by_certificates_tells_its_roots_and_no_pem() -> None:
    root = Authority("Root")
    table = {"certificate-roots": chain_pem(root.certificate).decode(), "revocation-lists": ["a.crl", "b.crl"], "some": True}
    rule = CertificateRule((root.certificate,), name("Signer"), ExtendedKeyUsageOID.CODE_SIGNING, 3072)
    policy = Policy((ScopedRule(rule, LABEL),), ("cms",), NOW, (root.certificate,))
    verify = VerifySettings(trust=(TrustSettings("certificate", table, LABEL),))
    told = gather_report((), policy=policy, verify=verify, circumstances=Circumstances("1.0", NOW, NOW, 0)).policy
    digest = root.certificate.fingerprint(hashes.SHA256()).hex()
    assert told.rules[0].settings == (
        ("kind", "certificate"),
        ("certificate-roots", "PEM, in the configuration itself"),
        ("revocation-lists", "a.crl, b.crl"),
        ("some", "true"),
        ("root", f"CN=Root,O=Example Ltd,C=SI; SHA-256 {digest}"),
    )
    assert [each.sha256 for each in told.timestamp_roots] == [digest]


def test_of_a_rule_of_another_kind_no_more_is_told_than_its_settings() -> None:
    @dataclass
    class Strange:
        roots: str = "not certificates"
        keys: tuple[()] = ()

        def evaluate(self, _material: object) -> Judgement:
            return Judgement(Verdict.UNTRUSTED)

    for kind in ("strange", "certificate"):
        policy = Policy((ScopedRule(Strange(), LABEL),), ("cms",), NOW)
        verify = VerifySettings(trust=(TrustSettings(kind, {"who": "me"}, LABEL),))
        told = gather_report((), policy=policy, verify=verify, circumstances=Circumstances("1.0", NOW, NOW, 0)).policy
        assert told.rules[0].settings == (("kind", kind), ("who", "me"))
