"""What the rule ``identity`` makes of signatures: who is trusted, and in which words others are not."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.contract import Facts, Judgement, Material
from hatch_sign.formats.sigstore.bundle import Bundle, MessageSignature, encode_bundle
from hatch_sign.values.outcomes import Verdict

from .crafted_sigstore import (
    IDENTITY,
    ISSUER,
    NOW,
    CraftedSigstore,
    extension,
    github_claims,
    new_key,
    sign,
    statement,
    utf8,
)
from .judging import ARTIFACT, NAME, find, judge, rule_for, sigstore

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign_sigstore.identity.rule import IdentityRule

PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
OTHER = IDENTITY.replace("example/demo", "stranger/demo")


def flipped(text: str) -> str:
    """Return base64 with the last bit but a few of what is behind it turned over."""
    data = bytearray(base64.b64decode(text))
    data[-5] ^= 1
    return base64.b64encode(data).decode()


def authorities_of(instance: CraftedSigstore) -> list[bytes]:
    (authority,) = instance.trusted_root["certificateAuthorities"]
    return [base64.b64decode(each["rawBytes"]) for each in authority["certChain"]["certificates"]]


def entry_of(bundle: dict[str, Any]) -> dict[str, Any]:
    (entry,) = bundle["verificationMaterial"]["tlogEntries"]
    found: dict[str, Any] = entry
    return found


def both_kinds() -> dict[str, dict[str, Any]]:
    instance = sigstore()
    return {
        "message": instance.message_bundle(ARTIFACT),
        "statement": instance.statement_bundle(statement(NAME, ARTIFACT, PUBLISH)),
    }


@pytest.mark.parametrize("kind", ["message", "statement"])
def test_the_identity_is_trusted_with_its_issuer_and_time(kind: str) -> None:
    judged = judge(rule_for(sigstore()), both_kinds()[kind])
    assert judged == Judgement(Verdict.TRUSTED, signer=f"{IDENTITY} ({ISSUER})", time=NOW)


def test_the_certificate_leads_to_the_root_of_the_instance() -> None:
    bundle = both_kinds()["message"]
    chain = judge(rule_for(sigstore()), bundle).chain
    assert [each.public_bytes(Encoding.DER) for each in chain] == [
        base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"]),
        *authorities_of(sigstore()),
    ]
    assert judge(rule_for(sigstore(), identity=OTHER), bundle).chain == chain, "of whom it was is known as well"


def test_a_certificate_of_another_instance_leads_nowhere() -> None:
    judged = judge(rule_for(CraftedSigstore()), both_kinds()["message"])
    assert (judged.verdict, judged.chain) == (Verdict.UNTRUSTED, ())


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"identity": OTHER}, f"the identity is {IDENTITY}, expected {OTHER}"),
        ({"identity": IDENTITY[:-1]}, f"the identity is {IDENTITY}, expected {IDENTITY[:-1]}"),
        ({"identity-pattern": OTHER.rpartition("@")[0] + "@refs/tags/*"}, f"the identity is {IDENTITY}, expected"),
        ({"identity": IDENTITY, "issuer": ISSUER + "/"}, f"vouched for by {ISSUER}, expected {ISSUER}/"),
        ({"identity": IDENTITY, "issuer": ISSUER.upper()}, f"vouched for by {ISSUER}, expected {ISSUER.upper()}"),
    ],
)
def test_another_identity_or_issuer_is_told_with_both(settings: dict[str, str], detail: str) -> None:
    judged = judge(rule_for(sigstore(), **settings), both_kinds()["message"])
    assert (judged.verdict, judged.signer) == (Verdict.WRONG_IDENTITY, f"{IDENTITY} ({ISSUER})")
    assert detail in judged.detail


def test_a_pattern_trusts_what_differs_after_the_last_at() -> None:
    pattern = IDENTITY.rpartition("@")[0] + "@refs/tags/*"
    assert judge(rule_for(sigstore(), **{"identity-pattern": pattern}), both_kinds()["message"]).verdict is Verdict.TRUSTED


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "promise": (
        lambda b: entry_of(b)["inclusionPromise"].update(
            signedEntryTimestamp=flipped(entry_of(b)["inclusionPromise"]["signedEntryTimestamp"])
        ),
        "SET: invalid inclusion promise",
    ),
    "no promise": (lambda b: entry_of(b).pop("inclusionPromise"), "must contain an inclusion promise or signed timestamp"),
    "no proof": (lambda b: entry_of(b).pop("inclusionProof"), "the log entry has no proof of its inclusion"),
    "root hash": (
        lambda b: entry_of(b)["inclusionProof"].update(rootHash=flipped(entry_of(b)["inclusionProof"]["rootHash"])),
        "inclusion proof contains invalid root hash",
    ),
    "checkpoint": (
        lambda b: entry_of(b)["inclusionProof"]["checkpoint"].update(
            envelope=entry_of(b)["inclusionProof"]["checkpoint"]["envelope"].replace("crafted\n1\n", "crafted\n2\n")
        ),
        "invalid signature",
    ),
    "time within": (
        lambda b: entry_of(b).update(integratedTime=str(int(NOW.timestamp()) + 60)),
        "invalid inclusion promise",
    ),
    "no entry": (
        lambda b: b["verificationMaterial"].update(tlogEntries=[]),
        "it has 0 entries of a transparency log, expected one",
    ),
    "two entries": (lambda b: b["verificationMaterial"]["tlogEntries"].append(entry_of(b)), "it has 2 entries of"),
    "other version": (lambda b: entry_of(b)["kindVersion"].update(version="0.0.3"), "Expected log entry version"),
    "other kind": (lambda b: entry_of(b)["kindVersion"].update(kind="intoto"), "only supported for dsse/hashedrekord"),
}


@pytest.mark.parametrize("kind", ["message", "statement"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_the_log_did_not_sign_is_untrusted(kind: str, change: str) -> None:
    bundle = copy.deepcopy(both_kinds()[kind])
    apply, reason = CHANGES[change]
    apply(bundle)
    judged = judge(rule_for(sigstore()), bundle)
    assert judged.verdict is Verdict.UNTRUSTED
    assert reason in judged.detail
    assert judged.time is None


def test_the_entry_of_another_signature_is_untrusted() -> None:
    bundle, other = both_kinds()["message"], sigstore().message_bundle(b"another artifact")
    bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
    judged = judge(rule_for(sigstore()), bundle)
    assert (judged.verdict, judged.detail) == (
        Verdict.UNTRUSTED,
        "transparency log entry is inconsistent with other materials",
    )


def test_another_trusted_root_is_untrusted() -> None:
    judged = judge(rule_for(CraftedSigstore()), both_kinds()["message"])
    assert judged.verdict is Verdict.UNTRUSTED
    assert "the certificate leads to no authority of the trusted root" in judged.detail


def with_period(part: str, **period: str) -> IdentityRule:
    """Return the rule under the trusted root with another period for one of its parts."""
    root = copy.deepcopy(sigstore().trusted_root)
    (only,) = root[part]
    only.get("publicKey", only)["validFor"] = period
    return rule_for(sigstore(), **{"identity": IDENTITY, "trusted-root": json.dumps(root)})


@pytest.mark.parametrize("kind", ["message", "statement"])
@pytest.mark.parametrize("part", ["certificateAuthorities", "tlogs", "ctlogs"])
@pytest.mark.parametrize(
    "period",
    [{"start": "2025-01-01T00:00:00Z", "end": "2026-06-01T11:59:59Z"}, {"start": "2026-06-01T12:00:01Z"}],
    ids=["ended", "not begun"],
)
def test_an_authority_or_a_log_vouches_for_nothing_beyond_its_time(part: str, period: dict[str, str], kind: str) -> None:
    judged = judge(with_period(part, **period), both_kinds()[kind])
    assert (judged.verdict, judged.detail) == (
        Verdict.UNTRUSTED,
        "an authority or a log that vouches for it was not in use at 2026-06-01 12:00:00+00:00, says the trusted root",
    )


@pytest.mark.parametrize("part", ["certificateAuthorities", "tlogs", "ctlogs"])
def test_an_authority_and_a_log_vouch_for_what_was_made_while_they_were_in_use(part: str) -> None:
    """The first and the last second are part of the period, and that it is over by now takes nothing back."""
    rule = with_period(part, start="2026-06-01T12:00:00Z", end="2026-06-01T12:00:00Z")
    assert judge(rule, both_kinds()["message"]).verdict is Verdict.TRUSTED


def test_what_is_wrong_in_itself_is_told_before_when_it_was_made() -> None:
    bundle = both_kinds()["message"]
    CHANGES["promise"][0](bundle)
    judged = judge(with_period("tlogs", start="2026-06-01T12:00:01Z"), bundle)
    assert (judged.verdict, "SET: invalid inclusion promise" in judged.detail) == (Verdict.UNTRUSTED, True)


def test_a_certificate_that_is_in_no_log_is_untrusted() -> None:
    instance = sigstore()
    judged = judge(rule_for(instance), instance.message_bundle(ARTIFACT, instance.certify(logged=False)))
    assert judged.verdict is Verdict.UNTRUSTED
    assert "does not contain a signed certificate timestamp" in judged.detail


@pytest.mark.parametrize("minutes", [-1, 11])
def test_a_certificate_used_when_it_was_not_good_is_expired(minutes: int) -> None:
    used = NOW + timedelta(minutes=minutes)
    judged = judge(rule_for(sigstore()), sigstore().message_bundle(ARTIFACT, at=used))
    assert judged.verdict is Verdict.EXPIRED
    assert judged.detail.endswith(f"and it was used at {used.isoformat(sep=' ')}")


@pytest.mark.parametrize("stranger", [True, False])
def test_only_the_right_signer_is_called_expired(stranger: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Somebody else, or a certificate of another authority, would not be helped by another date."""
    late = sigstore().message_bundle(ARTIFACT, at=NOW + timedelta(minutes=11))
    rule = rule_for(sigstore(), identity=OTHER) if stranger else rule_for(CraftedSigstore())
    assert judge(rule, late).verdict is Verdict.UNTRUSTED


def test_what_is_yet_to_come_is_untrusted() -> None:
    judged = judge(rule_for(sigstore()), both_kinds()["message"], days=-1)
    assert judged.verdict is Verdict.UNTRUSTED
    assert "which is yet to come" in judged.detail


def test_years_later_it_is_trusted_still() -> None:
    assert judge(rule_for(sigstore()), both_kinds()["message"], days=3000).verdict is Verdict.TRUSTED


# --- what certificates say


def judged_by(
    leaf_names: tuple[x509.GeneralName, ...], claims: tuple[x509.UnrecognizedExtension, ...], **settings: str
) -> Judgement:
    instance = sigstore()
    bundle = instance.message_bundle(ARTIFACT, instance.certify(names=leaf_names, claims=claims))
    return judge(rule_for(instance, **settings), bundle)


URI = (x509.UniformResourceIdentifier(IDENTITY),)
OTHER_NAME = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("somebody!example.com"))


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        (x509.RFC822Name("somebody@example.com"), "somebody@example.com"),
        (x509.UniformResourceIdentifier("https://example.com/build"), "https://example.com/build"),
        (OTHER_NAME, "somebody!example.com"),
    ],
)
def test_each_kind_of_name_is_an_identity(name: x509.GeneralName, identity: str) -> None:
    assert judged_by((name,), github_claims(), identity=identity).verdict is Verdict.TRUSTED
    assert judged_by((name,), github_claims(), identity=identity + "x").verdict is Verdict.WRONG_IDENTITY


@pytest.mark.parametrize("numbers", [(1,), (8,), (1, 8)])
def test_either_spelling_of_the_issuer_will_do(numbers: tuple[int, ...]) -> None:
    values = {1: ISSUER.encode(), 8: utf8(ISSUER)}
    claims = tuple(extension(number, values[number]) for number in numbers)
    assert judged_by(URI, claims, identity=IDENTITY).verdict is Verdict.TRUSTED


@pytest.mark.parametrize(
    ("names", "claims", "reason"),
    [
        (URI, (), "it names 0 issuers, expected one"),
        (URI, (extension(1, b"https://a"), extension(8, utf8("https://b"))), "it names 2 issuers"),
        (URI, (extension(8, ISSUER.encode()),), "an extension is no UTF8String"),
        (URI, (extension(8, b"\x0c"),), "an extension ends too early"),
        (URI, (extension(8, utf8(ISSUER) + b"x"),), "there is another value beside it"),
        (URI, (extension(8, b"\x0c\x01\xff"),), "the certificate is malformed: 'utf-8' codec"),
        (URI, (extension(8, utf8("")),), "expected one that is not empty"),
        ((*URI, x509.RFC822Name("somebody@example.com")), github_claims(), "it names 2 identities"),
        ((x509.DNSName("example.com"),), github_claims(), "an alternative name is a DNSName"),
    ],
)
def test_a_certificate_that_does_not_say_who_is_untrusted(
    names: tuple[x509.GeneralName, ...], claims: tuple[x509.UnrecognizedExtension, ...], reason: str
) -> None:
    judged = judged_by(names, claims, identity=IDENTITY)
    assert judged.verdict is Verdict.UNTRUSTED
    assert reason in judged.detail


# --- signatures of other kinds


def test_a_signature_by_a_key_is_untrusted() -> None:
    instance, key = sigstore(), new_key()
    digest = MessageSignature(
        "sha256", find(json.dumps(both_kinds()["message"]).encode()).facts[0].digest, sign(key, ARTIFACT)
    )
    facts = Facts(key.public_key(), None, digest.signature, bundle=encode_bundle(Bundle(digest, hint="x")))  # type: ignore[arg-type]  # not read
    judged = rule_for(instance).evaluate(Material(NAME, "sigstore", facts, NOW))
    assert (judged.verdict, judged.detail) == (Verdict.UNTRUSTED, "it was made by a key, without an identity")


def test_another_format_is_untrusted() -> None:
    (facts,) = find(json.dumps(both_kinds()["message"]).encode()).facts
    judged = rule_for(sigstore()).evaluate(Material(NAME, "cms", replace(facts, bundle=b""), NOW))
    assert (judged.verdict, judged.detail) == (Verdict.UNTRUSTED, "signatures of the format cms hold no identity")


@pytest.mark.parametrize(
    ("bundle", "reason"),
    [(b"{}", "the bundle lacks mediaType"), (b"\xff", "not UTF-8 at byte 0"), (b"[" * 100_000, "nested more than 64 deep")],
)
def test_a_bundle_that_is_none_is_untrusted_and_raises_nothing(bundle: bytes, reason: str) -> None:
    (facts,) = find(json.dumps(both_kinds()["message"]).encode()).facts
    judged = rule_for(sigstore()).evaluate(Material(NAME, "sigstore", replace(facts, bundle=bundle), NOW))
    assert judged.verdict is Verdict.UNTRUSTED
    assert reason in judged.detail


def test_the_digest_that_was_compared_is_the_one_that_is_checked() -> None:
    (facts,) = find(json.dumps(both_kinds()["message"]).encode()).facts
    for digest, reason in ((bytes(32), "digest mismatch"), (bytes(64), "it signs a digest of 64 bytes, expected SHA-256")):
        judged = rule_for(sigstore()).evaluate(Material(NAME, "sigstore", replace(facts, digest=digest), NOW))
        assert judged.verdict is Verdict.UNTRUSTED
        assert reason in judged.detail


def test_a_rule_names_no_keys() -> None:
    assert rule_for(sigstore()).keys == ()
