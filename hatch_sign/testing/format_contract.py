"""The contract of a format, as tests. A plugin's tests subclass one of these classes and run it unchanged.

::

    class TestMyFormat(FormatContract):
        format = hatch_sign_register_format()
        plugin = "my_distribution.my_format"        # its module, imported afresh to see what it loads
        refused = frozenset({KeyAlgorithm.ED25519})  # key kinds that it cannot carry; asserted, not skipped

Sidecars, aggregates and embedded formats pass the same tests; lists without a signature have :class:`ManifestContract`.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import DIGEST_SIZES, KeyAlgorithm, Scheme
from hatch_sign.values.artifacts import Release, Subject
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import schemes_of_key

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Facts, Finding, Format
    from hatch_sign.values.public_keys import PublicKey

_RELEASE = Release("example", "1.0")
_HOSTILE = (b"", b"\0" * 64, b"{}", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"1" * 100_000, b"\n" * 64)


def certificate_for(key: Any) -> Certificate:  # noqa: ANN401 - any private key that cryptography signs with
    """Return a certificate of `key`, signed by itself, good for a day."""
    from cryptography import x509  # noqa: PLC0415 - 40 ms, and formats without certificates do without
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - as above

    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hatch-sign contract")])
    start = datetime(2026, 2, 3, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=1))
    return builder.sign(key, None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256())


class FormatContract:
    """What every format that signs does. Subclasses set `format`, and what else differs from these defaults."""

    format: ClassVar[Format]
    plugin: ClassVar[str]
    """The module that registers the format; None where a fresh interpreter could not import it."""
    refused: ClassVar[frozenset[KeyAlgorithm]] = frozenset()
    """The key kinds that the format cannot carry."""
    artifact: ClassVar[bytes] = bytes(range(256)) * 8
    """An artifact that it can sign."""
    inapplicable: ClassVar[bytes | None] = None
    """For embedded formats: a file in which there is nothing to sign."""
    name: ClassVar[str] = "example-1.0-py3-none-any.whl"
    claims_name: ClassVar[frozenset[KeyAlgorithm]] = frozenset()
    """The key kinds whose signatures cover the artifact's name."""
    needs_certificate: ClassVar[bool] = False
    certificate_options: ClassVar[Mapping[str, Any] | None] = None
    """The settings with which it carries the leaf certificate; None where it carries none."""

    # --- what the tests do with a format of any kind, which a subclass may refine

    def seal(self, algorithm: KeyAlgorithm, scheme: Scheme, **changes: Any) -> KeySeal:  # noqa: ANN401 - KeySeal's fields
        """Return a seal over the first key of its kind."""
        key = private_key(algorithm)
        certificates = (certificate_for(key),) if self.needs_certificate else ()
        return KeySeal(key, scheme, **{"certificates": certificates, "release": _RELEASE} | changes)

    def write(self, seal: KeySeal, artifacts: Mapping[str, bytes] | None = None) -> bytes:
        """Return the sidecar, the aggregate, or the artifact with its signature inside; digests are as it asks."""
        given = artifacts or {self.name: self.artifact}
        producer: Any = self.format.producer()
        if self.format.kind == "embedded":
            target = io.BytesIO()
            assert producer.embed(io.BytesIO(given[self.name]), target, seal) is True
            return target.getvalue()
        subjects = _subjects(given, producer.digests(seal.scheme))
        return bytes(producer.sign(subjects if self.format.kind == "aggregate" else subjects[0], seal))

    def examine(
        self, written: bytes, keys: Sequence[PublicKey], artifacts: Mapping[str, bytes] | None = None
    ) -> Mapping[str, Finding]:
        """Return the findings; what cannot be parsed raises MalformedError, or is found malformed when embedded."""
        given = artifacts or {self.name: self.artifact}
        verifier: Any = self.format.verifier()
        if self.format.kind == "embedded":
            return {name: verifier.check(name, io.BytesIO(written), keys) for name in given}
        parsed = verifier.parse(written)
        findings: Mapping[str, Finding] = verifier.check(parsed, _subjects(given, verifier.digests(parsed)), keys)
        assert set(findings) == set(given)
        return findings

    def changed(self, written: bytes) -> tuple[bytes, Mapping[str, bytes]]:
        """Return what was written and the artifacts, after one bit of the artifact itself was changed."""
        middle = len(self.artifact) // 2
        artifact = _flipped(self.artifact, middle, 1)
        if self.format.kind != "embedded":
            return written, {self.name: artifact}
        at = written.index(self.artifact[middle : middle + 32])
        return _flipped(written, at, 1), {self.name: artifact}

    # --- the contract

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_carries_key_kinds_or_refuses_them_before_signing(self, algorithm: KeyAlgorithm) -> None:
        schemes = _schemes(self.format, algorithm)
        assert bool(schemes) == (algorithm not in self.refused)
        assert len(set(schemes)) == len(schemes)
        assert set(schemes) <= set(algorithm.schemes)

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_reads_what_it_wrote(self, algorithm: KeyAlgorithm) -> None:
        for scheme in _schemes(self.format, algorithm):
            seal = self.seal(algorithm, scheme)
            facts = _accepted(self.examine(self.write(seal), [seal.public_key])[self.name])
            assert facts.public_key == seal.public_key
            assert facts.scheme is scheme
            assert facts.claims_name == (algorithm in self.claims_name)
            assert list(facts.certificates[:1]) == list(seal.certificates[:1]) or not self.needs_certificate

    @pytest.mark.parametrize("algorithm", KeyAlgorithm)
    def test_never_accepts_a_scheme_that_it_left_out(self, algorithm: KeyAlgorithm) -> None:
        if algorithm in self.refused:  # then the core never asks for it
            assert _schemes(self.format, algorithm) == []
            return
        for scheme in set(algorithm.schemes) - set(_schemes(self.format, algorithm)):
            seal = self.seal(algorithm, scheme)
            try:
                finding = self.examine(self.write(seal), [seal.public_key])[self.name]
            except (MalformedError, UnsupportedError):
                continue
            assert finding.problem is not None

    def test_finds_a_changed_artifact(self) -> None:
        for seal in self._seals():
            findings = self.examine(*self._rearranged(seal))
            assert findings[self.name].problem is Verdict.HASH_MISMATCH

    def test_does_not_trust_another_key(self) -> None:
        for seal in self._seals():
            algorithm = _algorithm_of(seal)
            other = private_key(algorithm, 1).public_key()
            finding = self.examine(self.write(seal), [other])[self.name]
            if finding.problem is None:  # the credential came along: then it is that one which is reported
                assert all(facts.public_key == seal.public_key for facts in finding.facts)
                assert finding.facts[0].certificates
            else:
                assert finding.problem is Verdict.UNTRUSTED

    def test_finds_the_key_among_many(self) -> None:
        for seal in self._seals():
            others = [
                private_key(algorithm, 1).public_key() for algorithm in (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ED25519)
            ]
            finding = self.examine(self.write(seal), [*others, seal.public_key])[self.name]
            assert _accepted(finding).public_key == seal.public_key

    def test_covers_the_name_where_it_says_so(self) -> None:
        for seal in self._seals():
            if self.format.kind == "embedded":
                return
            written, other = self.write(seal), "another-1.0-py3-none-any.whl"
            verifier: Any = self.format.verifier()
            finding = self.examine(written, [seal.public_key], {other: self.artifact})[other]
            claims = _algorithm_of(seal) in self.claims_name
            names = verifier.names(verifier.parse(written))
            assert names is None or self.name in names
            assert (names is not None and other not in names) is claims
            assert (finding.problem is not None) is claims

    def test_answers_for_each_artifact_of_an_aggregate(self) -> None:
        if self.format.kind != "aggregate":
            assert self.format.kind in {"sidecar", "embedded"}
            return
        for seal in self._seals():
            artifacts = {f"example-{number}.bin": b"%d" % number for number in range(3)}
            written = self.write(seal, artifacts)
            findings = self.examine(written, [seal.public_key], artifacts | {"example-1.bin": b"changed"})
            assert [finding.problem for finding in findings.values()] == [None, Verdict.HASH_MISMATCH, None]

    def test_refuses_garbage_as_malformed(self) -> None:
        for hostile in _HOSTILE:
            try:
                finding = self.examine(hostile, [])[self.name]
            except MalformedError as error:
                assert "\n" not in str(error)  # noqa: PT017 - an embedded format answers instead of raising
            else:
                assert self.format.kind == "embedded"
                assert finding.problem in {Verdict.MALFORMED, Verdict.NOT_APPLICABLE, Verdict.UNSIGNED}

    def test_never_accepts_a_truncation(self) -> None:
        for seal in self._seals():
            written = self.write(seal)
            for length in _spread(len(written)):
                self._assert_harmless(written, written[:length], seal)

    def test_never_accepts_a_flipped_bit(self) -> None:
        for seal in self._seals():
            written = self.write(seal)
            for at in _spread(len(written)):
                self._assert_harmless(written, _flipped(written, at, 1 << at % 8), seal)

    def test_writes_the_same_bytes_again(self) -> None:
        """Where the scheme itself is deterministic, the file is: rebuilding a release gives the same release."""
        for seal in self._seals():
            if seal.scheme.family in {"rsa-pkcs1", "ed25519"}:
                assert self.write(seal) == self.write(seal)

    def test_carries_the_certificate(self) -> None:
        if self.certificate_options is None:
            assert not self.needs_certificate
            return
        for seal in self._seals():
            leaf = certificate_for(seal.key)
            written = self.write(self._with_certificate(seal, leaf))
            facts = _accepted(self.examine(written, [])[self.name])
            assert (facts.certificates[0], facts.public_key) == (leaf, seal.public_key)

    def test_does_not_accept_the_certificate_of_another_key(self) -> None:
        if self.certificate_options is None:
            return
        for seal in self._seals():
            foreign = certificate_for(private_key(_algorithm_of(seal), 1))
            finding = self.examine(self.write(self._with_certificate(seal, foreign)), [seal.public_key])[self.name]
            assert finding.problem is Verdict.UNTRUSTED

    def test_leaves_alone_what_it_cannot_sign(self) -> None:
        if self.inapplicable is None:
            assert self.format.kind != "embedded"
            return
        producer: Any = self.format.producer()
        for seal in self._seals():
            assert producer.embed(io.BytesIO(self.inapplicable), io.BytesIO(), seal) is False
        assert self.examine(self.inapplicable, [])[self.name].problem is Verdict.NOT_APPLICABLE

    def test_finds_an_artifact_without_signature_unsigned(self) -> None:
        if self.format.kind == "embedded":
            assert self.examine(self.artifact, [])[self.name].problem is Verdict.UNSIGNED

    def test_asks_for_hashes_of_the_table_only(self) -> None:
        if self.format.kind == "embedded":
            return
        producer: Any = self.format.producer()
        for seal in self._seals():
            verifier: Any = self.format.verifier()
            asked = producer.digests(seal.scheme) | verifier.digests(verifier.parse(self.write(seal)))
            assert asked <= DIGEST_SIZES.keys()

    def test_loads_no_more_than_the_side_that_is_asked_for(self) -> None:
        """The plugin's module must be cheap, and a consumer who verifies must not load what signs."""
        producer = type(self.format.producer()).__module__
        program = (
            f"import sys, {self.plugin} as plugin\n"
            f"assert 'cryptography' not in sys.modules, 'importing the plugin imports cryptography'\n"
            f"plugin.hatch_sign_register_format().verifier()\n"
            f"assert {producer!r} not in sys.modules, 'the verifier imports the producer'\n"
            f"assert not any(name.startswith('hatch_sign.signing') for name in sys.modules)\n"
        )
        _run_python(program)

    # --- helpers

    def _seals(self) -> Iterator[KeySeal]:
        """Yield a seal for one key kind of each family, with the scheme that the format likes best."""
        for algorithm in (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519):
            if algorithm not in self.refused:
                yield self.seal(algorithm, _schemes(self.format, algorithm)[0])

    def _rearranged(self, seal: KeySeal) -> tuple[bytes, Sequence[PublicKey], Mapping[str, bytes]]:
        written, artifacts = self.changed(self.write(seal))
        return written, [seal.public_key], artifacts

    def _with_certificate(self, seal: KeySeal, leaf: Certificate) -> KeySeal:
        options = dict(self.certificate_options or {})
        return self.seal(_algorithm_of(seal), seal.scheme, certificates=(leaf,), options=options)

    def _assert_harmless(self, original: bytes, mutated: bytes, seal: KeySeal) -> None:
        """Assert that `mutated` is refused, or says what the original said: white space, say, or an untrusted hint."""
        try:
            finding = self.examine(mutated, [seal.public_key])[self.name]
        except MalformedError:
            return
        if finding.problem is None:
            before = _accepted(self.examine(original, [seal.public_key])[self.name])
            after = _accepted(finding)
            assert (after.signature, after.scheme, after.public_key) == (before.signature, before.scheme, before.public_key)


class ManifestContract:
    """What every list of artifacts does. Subclasses set `format`, and names that it cannot list."""

    format: ClassVar[Format]
    artifacts: ClassVar[Mapping[str, bytes]] = {"b-1.0.tar.gz": b"b", "a b-ü.bin": b"a", "-x": b"x"}
    unlistable: ClassVar[Sequence[str]] = ("a\nb",)

    def test_reads_what_it_wrote(self) -> None:
        assert set(self._examine(self._written(), self.artifacts).values()) == {None}

    def test_finds_a_changed_artifact(self) -> None:
        name = next(iter(self.artifacts))
        problems = self._examine(self._written(), {**self.artifacts, name: b"changed"})
        assert problems == {**dict.fromkeys(self.artifacts), name: Verdict.HASH_MISMATCH}

    def test_finds_an_artifact_that_is_not_listed(self) -> None:
        assert self._examine(self._written(), {"another": b"b"}) == {"another": Verdict.UNSIGNED}

    def test_writes_the_same_bytes_in_any_order(self) -> None:
        assert self._written() == self._written(dict(reversed(list(self.artifacts.items()))))

    def test_refuses_names_that_it_cannot_list(self) -> None:
        for name in self.unlistable:
            with pytest.raises(UnsupportedError) as caught:
                self._written({name: b""})
            assert "\n" not in str(caught.value)

    def test_refuses_garbage_as_malformed(self) -> None:
        for hostile in (hostile for hostile in _HOSTILE if hostile):
            with pytest.raises(MalformedError):
                self.format.verifier().parse(hostile)  # type: ignore[union-attr] # a manifest's verifier parses

    def test_no_truncation_or_flipped_bit_lists_another_artifact(self) -> None:
        written = self._written()
        for at in range(len(written)):
            for mutated in (written[:at], _flipped(written, at, 1 << at % 8)):
                try:
                    problems = self._examine(mutated, self.artifacts)
                except MalformedError:
                    continue
                assert mutated != written
                assert set(problems.values()) != {None} or _is_spelling(mutated, written)

    def _written(self, artifacts: Mapping[str, bytes] | None = None) -> bytes:
        producer: Any = self.format.producer()
        return bytes(producer.list(_subjects(self.artifacts if artifacts is None else artifacts, producer.digests())))

    def _examine(self, written: bytes, artifacts: Mapping[str, bytes]) -> Mapping[str, Verdict | None]:
        verifier: Any = self.format.verifier()
        parsed = verifier.parse(written)
        findings = verifier.check(parsed, _subjects(artifacts, verifier.digests(parsed)))
        return {name: finding.problem for name, finding in findings.items()}


def _is_spelling(mutated: bytes, written: bytes) -> bool:
    """Return whether only the mark between digest and name differs."""
    return mutated.replace(b" *", b"  ") == written


def _subjects(artifacts: Mapping[str, bytes], hashes: frozenset[str]) -> list[Subject]:
    return [
        Subject(name, len(data), {hash_: hashlib.new(hash_, data).digest() for hash_ in hashes})
        for name, data in artifacts.items()
    ]


def _schemes(format_: Format, algorithm: KeyAlgorithm) -> list[Scheme]:
    producer: Any = format_.producer()
    return list(producer.schemes(private_key(algorithm).public_key()))


def _algorithm_of(seal: KeySeal) -> KeyAlgorithm:
    return next(algorithm for algorithm in KeyAlgorithm if schemes_of_key(seal.public_key) == algorithm.schemes)


def _accepted(finding: Finding) -> Facts:
    assert finding.problem is None, finding.detail
    assert len(finding.facts) == 1
    return finding.facts[0]


def _flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def _spread(length: int, count: int = 150) -> list[int]:
    """Return positions in a file of `length` bytes: both ends, and a fixed sample of what lies between."""
    if length <= count:
        return list(range(length))
    between = random.Random(length).sample(range(length), count)  # noqa: S311 - a sample for a test
    return sorted({*range(8), *range(length - 8, length), *between})


def _run_python(program: str) -> None:
    environ = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    finished = subprocess.run(  # noqa: S603 - this interpreter, and a program written above
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
