"""The contract over the formats of the core, and over sketches of what other formats and witnesses are like."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from hatch_sign.contract import Evidence, Facts, WitnessRequest
from hatch_sign.formats import checksums, cms, sigstore, statement
from hatch_sign.testing.format_contract import FormatContract, ManifestContract, certificate_for
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import UnsupportedError, WitnessError

from .sketches import container_format, release_format
from .sketches.toy_witness import ToyAuthority, ToyLog, ToyProvider, hatch_sign_register_witness


class TestSigstore(FormatContract):
    format = sigstore.hatch_sign_register_format()
    plugin = "hatch_sign.formats.sigstore"
    claims_name = frozenset({KeyAlgorithm.ED25519})
    certificate_options: ClassVar = {"bundle-certificate": True}

    def test_refuses_to_carry_a_certificate_that_is_not_there(self) -> None:
        for seal in self._seals():
            with pytest.raises(UnsupportedError, match="the key has no certificate; set certificates"):
                self.write(replace(seal, options={"bundle-certificate": True}))

    def test_carries_no_certificate_unless_told_to(self) -> None:
        for seal in self._seals():
            written = self.write(replace(seal, certificates=(certificate_for(seal.key),)))
            assert self.examine(written, [seal.public_key])[self.name].facts[0].certificates == ()


class TestStatement(FormatContract):
    format = statement.hatch_sign_register_format()
    plugin = "hatch_sign.formats.statement"
    claims_name = frozenset(KeyAlgorithm)
    certificate_options: ClassVar = {"bundle-certificate": True}


class TestCms(FormatContract):
    format = cms.hatch_sign_register_format()
    plugin = "hatch_sign.formats.cms"
    refused = frozenset({KeyAlgorithm.ED25519})
    needs_certificate = True
    certificate_options: ClassVar = {}

    def test_refuses_a_key_without_certificate(self) -> None:
        for seal in self._seals():
            with pytest.raises(UnsupportedError, match="the key has none; set `certificates`"):
                self.write(replace(seal, certificates=()))


class TestContainerSketch(FormatContract):
    test_loads_no_more_than_the_side_that_is_asked_for = None  # type: ignore[assignment] # both sides of a sketch are one file
    format = container_format.hatch_sign_register_format()
    refused = frozenset({KeyAlgorithm.ED25519})
    artifact = container_format.MAGIC + bytes(range(256)) * 8
    inapplicable = b"another kind of file"


class TestReleaseSketch(FormatContract):
    test_loads_no_more_than_the_side_that_is_asked_for = None  # type: ignore[assignment] # both sides of a sketch are one file
    format = release_format.hatch_sign_register_format()
    claims_name = frozenset(KeyAlgorithm)


class TestChecksums(ManifestContract):
    format = checksums.hatch_sign_register_format()
    unlistable = ("a\nb", "a\\b", "a\rb", "\udc80", "")


# --- witnesses, through the seal and the format

CONTENT = b"witnessed"
SUBJECT = Subject("a.bin", len(CONTENT), {"sha256": hashlib.sha256(CONTENT).digest()})
KEYS = [(KeyAlgorithm.ECDSA_P256, Scheme.ECDSA_SHA256), (KeyAlgorithm.ED25519, Scheme.ED25519)]


def sealed(algorithm: KeyAlgorithm, scheme: Scheme, *witnesses: ToyAuthority | ToyLog) -> Facts:
    """Return what the format reads of a bundle that it wrote with these witnesses."""
    seal = KeySeal(private_key(algorithm), scheme, witnesses=witnesses)
    format_ = sigstore.hatch_sign_register_format()
    verifier: Any = format_.verifier()
    producer: Any = format_.producer()
    parsed = verifier.parse(producer.sign(SUBJECT, seal))
    facts: Facts = verifier.check(parsed, [SUBJECT], [seal.public_key])["a.bin"].facts[0]
    return facts


def asked(facts: Facts, envelope: bytes | None = None) -> WitnessRequest:
    return WitnessRequest(facts.signature, SUBJECT.digests["sha256"], facts.scheme, facts.public_key, envelope=envelope)


@pytest.mark.parametrize(("algorithm", "scheme"), KEYS)
def test_evidence_comes_back_as_it_was_given(algorithm: KeyAlgorithm, scheme: Scheme) -> None:
    authority, log = ToyAuthority(), ToyLog()
    facts = sealed(algorithm, scheme, authority, log)
    assert (len(facts.timestamps), len(facts.log_entries)) == (1, 1)
    authority.check(asked(facts), Evidence("timestamp", facts.timestamps[0]))
    assert b'"logIndex":"7"' in facts.log_entries[0]


def test_a_log_entry_still_proves_the_message_signature() -> None:
    log = ToyLog()
    facts = sealed(*KEYS[0], log)
    log.check(asked(facts), Evidence("log-entry", facts.log_entries[0]))
    with pytest.raises(WitnessError, match="about another signature"):
        log.check(replace(asked(facts), digest=bytes(32)), Evidence("log-entry", facts.log_entries[0]))


def test_a_log_is_given_the_envelope_and_its_digest() -> None:
    requests: list[WitnessRequest] = []

    class Listening(ToyLog):
        def attest(self, request: WitnessRequest) -> Evidence:
            requests.append(request)
            return super().attest(request)

    sealed(*KEYS[0], Listening())
    sealed(*KEYS[1], Listening())
    message, envelope = requests
    assert (message.digest, message.envelope) == (SUBJECT.digests["sha256"], None)
    assert len(envelope.digest) == 64
    assert envelope.envelope is not None
    assert envelope.envelope.startswith(b'{"payload":')


@pytest.mark.parametrize("witness", [ToyAuthority, ToyLog])
def test_foreign_and_replayed_evidence_is_refused_before_it_is_used(witness: type[ToyAuthority | ToyLog]) -> None:
    own, foreign = witness(), witness()

    class Answering:
        kind = own.kind
        answer: Evidence

        def attest(self, request: WitnessRequest) -> Evidence:
            del request
            return self.answer

        def check(self, request: WitnessRequest, evidence: Evidence) -> None:
            own.check(request, evidence)

    liar = Answering()
    facts = sealed(*KEYS[0])
    liar.answer = own.attest(asked(facts))
    with pytest.raises(WitnessError, match="another signature"):
        sealed(*KEYS[0], liar)  # type: ignore[arg-type] # a witness, though neither of the two
    liar.answer = foreign.attest(asked(facts))
    with pytest.raises(WitnessError, match="is not by this witness"):
        sealed(*KEYS[0], liar)  # type: ignore[arg-type] # as above


def test_a_log_entry_that_is_none_never_reaches_a_file() -> None:
    class Careless(ToyLog):
        def attest(self, request: WitnessRequest) -> Evidence:
            return Evidence("log-entry", super().attest(request).data.replace(b'"7"', b"7"))

        def check(self, request: WitnessRequest, evidence: Evidence) -> None:
            """Accept everything."""

    with pytest.raises(WitnessError, match="logIndex is not a string"):
        sealed(*KEYS[0], Careless())


def test_a_provider_connects_to_both_sorts() -> None:
    provider = hatch_sign_register_witness()
    assert isinstance(provider, ToyProvider)
    with provider.connect("toy:time", None) as authority, provider.connect("toy:log", None) as log:  # type: ignore[arg-type] # no secret is asked for
        assert (authority.kind, log.kind) == ("timestamp", "log-entry")
