"""Who judges CMS signatures in the tests beside this: openssl, pyHanko, and the verification of a release by us."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.contract.kinds import detached_verifier
from hatch_sign.formats import cms
from hatch_sign.formats.rfc3161 import encode_request, parse_timestamp
from hatch_sign.testing.seals import KeySeal
from hatch_sign.trust.certificate_rule import CertificateRule, parse_usage
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.outcomes import Outcome, Verdict
from hatch_sign.verification.verifying import verify_release
from tests.authority import Holder, make_tsa
from tests.formats.cms_samples import Stamping

from .programs import openssl_cms_verify, pyhanko_verify
from .tsa import TimestampServer

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import Finding
    from hatch_sign.values.algorithms import Scheme
    from hatch_sign.values.public_keys import PublicKey

FORMAT = cms.hatch_sign_register_format()
CONTENT = b"what a release is made of\n" * 40
TSA = make_tsa()


def stamped_by_openssl(signature: bytes) -> bytes:
    """Return the answer of ``openssl ts``, without a network between."""
    query = encode_request(hashlib.sha256(signature).digest(), hash_="sha256", nonce=secrets.randbits(80))
    reply = TimestampServer(TSA).reply(query)
    assert parse_timestamp(reply).vouches_for(signature)
    return reply


@dataclass(frozen=True)
class Case:
    """A file and its signature, as they lie in a folder, and who made it."""

    folder: Path
    holder: Holder
    content: bytes = CONTENT
    signature: bytes = b""

    def changed(self, *, content: bytes | None = None, signature: bytes | None = None) -> Case:
        """Return the case with another file or signature."""
        return Case(self.folder, self.holder, content or self.content, signature or self.signature)

    def write(self) -> tuple[Path, Path, Path]:
        """Write the file, its signature and the root, and return where they are."""
        where = self.folder / "dist"
        where.mkdir(exist_ok=True)
        file, signature, root = where / "app.bin", where / "app.bin.p7s", self.folder / "root.pem"
        file.write_bytes(self.content)
        signature.write_bytes(self.signature)
        self.holder.write(self.folder, "signer").root.rename(root)
        return file, signature, root


def signed(folder: Path, holder: Holder, scheme: Scheme, *, stamped: bool = False) -> Case:
    """Return CONTENT, signed by our producer, stamped by a real authority."""
    subject = Subject("app.bin", len(CONTENT), {str(scheme.hash): hashlib.new(str(scheme.hash), CONTENT).digest()})
    chain = tuple(dict.fromkeys((*holder.certificates, holder.root)))
    witnesses = [Stamping(stamped_by_openssl)] if stamped else []
    seal = KeySeal(holder.key, scheme, certificates=chain, now=datetime.now(UTC), witnesses=witnesses)
    return Case(folder, holder, CONTENT, FORMAT.producer().sign(subject, seal))  # type: ignore[union-attr,arg-type] # a sidecar


def ours(case: Case, at: datetime | None = None) -> Outcome:
    """Return what verifying the release says, under a rule that names the root and the whole subject."""
    file, _, _ = case.write()
    subject = case.holder.certificate.subject
    rule = CertificateRule((case.holder.root,), subject, parse_usage("code-signing"), 3072)
    policy = Policy(
        rules=(ScopedRule(rule, "the root"),),
        require=("cms",),
        at=at or datetime.now(UTC),
        timestamp_roots=(TSA.root,),
    )
    (report,) = verify_release(find_artifacts([file], [FORMAT]), policy=policy, formats={"cms": FORMAT})
    (outcome,) = report.outcomes
    assert report.passed == (outcome.verdict is Verdict.TRUSTED)
    return outcome


def find(case: Case, *keys: PublicKey) -> Finding:
    """Return what our verifier finds, before anybody judges whom to trust."""
    verifier = detached_verifier(FORMAT)
    parsed = verifier.parse(case.signature)
    digests = {name: hashlib.new(name, case.content).digest() for name in verifier.digests(parsed)}
    return verifier.check(parsed, [Subject("app.bin", len(case.content), digests)], keys)["app.bin"]


def openssl(case: Case, *arguments: str, form: str = "DER") -> str:
    """Return why openssl refuses; empty where it accepts."""
    result = openssl_cms_verify(*case.write(), form=form, arguments=arguments)
    return "" if result.accepted else result.output or "no reason"


def pyhanko(case: Case) -> str:
    """Return why pyHanko refuses; empty where it accepts."""
    result = pyhanko_verify(case.content, case.signature, case.holder.root, timestamp_root=TSA.root)
    return "" if result.accepted else result.output or "no reason"
