"""A sketch of an aggregate: lines of digest and name, and a last line with the signature over all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.contract import Facts, Finding, Format, hookimpl
from hatch_sign.formats.strict_json import decode_base64, encode_base64
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import schemes_of_key, verify_message

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.contract import Seal
    from hatch_sign.values.artifacts import Release, Subject
    from hatch_sign.values.public_keys import PublicKey

_SCHEMES = {scheme.label: scheme for scheme in Scheme}
_FILE = re.compile(r"(toy-release ([a-z0-9-]+)\n((?:[0-9a-f]{64}  [^\n]+\n)+))signature ([A-Za-z0-9+/=]+)\n")
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class ToyRelease:
    """A release as parsed."""

    message: bytes
    scheme: Scheme
    digests: Mapping[str, bytes]
    signature: bytes


class ReleaseProducer:
    """An AggregateProducer."""

    def schemes(self, key: PublicKey) -> Sequence[Scheme]:
        return schemes_of_key(key)

    def carries(self, seal: Seal) -> Sequence[Certificate]:  # noqa: ARG002 - bare keys only
        return ()

    def digests(self, scheme: Scheme) -> frozenset[str]:
        del scheme  # always the same
        return frozenset({"sha256"})

    def filename(self, release: Release) -> str:
        return f"{release.name}-{release.version}.toyrelease"

    def sign(self, subjects: Sequence[Subject], seal: Seal) -> bytes:
        lines = sorted(f"{subject.digests['sha256'].hex()}  {subject.name}\n" for subject in subjects)
        message = f"toy-release {seal.scheme.label}\n{''.join(lines)}".encode()
        return message + f"signature {encode_base64(seal.sign(message))}\n".encode()


class ReleaseVerifier:
    """A DetachedVerifier."""

    def parse(self, data: bytes) -> ToyRelease:
        try:
            found = _FILE.fullmatch(data[:_LONGEST].decode())
        except UnicodeDecodeError:
            found = None
        if found is None or found[2] not in _SCHEMES:
            message = "it is no toy release"
            raise MalformedError(message)
        digests = {line[66:]: bytes.fromhex(line[:64]) for line in found[3].split("\n")[:-1]}
        return ToyRelease(found[1].encode(), _SCHEMES[found[2]], digests, decode_base64(found[4], at="signature"))

    def digests(self, parsed: ToyRelease) -> frozenset[str]:
        del parsed  # always the same
        return frozenset({"sha256"})

    def names(self, parsed: ToyRelease) -> frozenset[str]:
        return frozenset(parsed.digests)

    def check(self, parsed: ToyRelease, subjects: Sequence[Subject], keys: Sequence[PublicKey]) -> Mapping[str, Finding]:
        makers = [key for key in keys if verify_message(key, parsed.signature, parsed.message, parsed.scheme)]
        facts = [Facts(key, parsed.scheme, parsed.signature, claims_name=True) for key in makers]
        finding = Finding(facts) if facts else Finding(problem=Verdict.UNTRUSTED)
        return {subject.name: _problem(parsed, subject) or finding for subject in subjects}


@hookimpl
def hatch_sign_register_format() -> Format:
    return Format("toy-release", "aggregate", ".toyrelease", verifier=ReleaseVerifier, producer=ReleaseProducer)


def _problem(parsed: ToyRelease, subject: Subject) -> Finding | None:
    if subject.name not in parsed.digests:
        return Finding(problem=Verdict.UNSIGNED)
    differs = parsed.digests[subject.name] != subject.digests["sha256"]
    return Finding(problem=Verdict.HASH_MISMATCH) if differs else None
