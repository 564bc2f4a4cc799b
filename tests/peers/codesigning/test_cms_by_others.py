"""CMS signatures that openssl and pyHanko made, judged by us: what is good, and what is refused and why."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import as_public_key
from tests.authority import Holder, code_signing_chain
from tests.peers import rigs
from tests.peers.codesigning.cms_judges import CONTENT, FORMAT, TSA, Case, find, openssl, ours, pyhanko
from tests.peers.codesigning.programs import openssl_cms_sign
from tests.peers.codesigning.tsa import TimestampServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALGORITHMS = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-3072", "rsa-4096"]
HASHES = {"ecdsa-p384": "sha384", "ecdsa-p521": "sha512"}
PSS = ["-keyopt", "rsa_padding_mode:pss"]


def by_openssl(folder: Path, *arguments: str, holder: Holder | None = None) -> Case:
    """Return CONTENT signed by ``openssl cms -sign``."""
    holder = holder or code_signing_chain("rsa-3072")
    case = Case(folder, holder)
    file, signature, _ = case.write()
    openssl_cms_sign(file, signature, holder.write(folder, "signer"), *arguments)
    return case.changed(signature=signature.read_bytes())


@pytest.mark.parametrize("arguments", [(), ("-cades",), ("-cades", "-keyid"), ("-cades", "-outform", "PEM")], ids=" ".join)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signatures_by_openssl(algorithm: str, arguments: Sequence[str], tmp_path: Path) -> None:
    holder = code_signing_chain(algorithm)
    case = by_openssl(tmp_path, "-md", HASHES.get(algorithm, "sha256"), *arguments, holder=holder)
    assert ours(case).verdict is Verdict.TRUSTED
    assert openssl(case, form="PEM" if "PEM" in arguments else "DER") == ""
    changed = case.changed(content=CONTENT + b"!")
    assert ours(changed).verdict is Verdict.HASH_MISMATCH
    assert "verification failure" in openssl(changed, form="PEM" if "PEM" in arguments else "DER").lower()


@pytest.mark.parametrize("hash_", ["sha256", "sha384", "sha512"])
def test_pss_by_openssl(hash_: str, tmp_path: Path) -> None:
    case = by_openssl(tmp_path, "-md", hash_, *PSS, "-keyopt", "rsa_pss_saltlen:digest")
    assert ours(case).verdict is Verdict.TRUSTED
    assert find(case).facts[0].scheme.label == f"rsa-pss-{hash_}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-noattr"], "has no signed attributes with its content type"),
        (["-nodetach"], "is not one over data that lies in a file of its own"),
        (["-stream"], "is not DER: a length is indefinite"),
        (["-md", "sha1"], "is made with the hash sha1, expected one of sha256, sha384, sha512"),
        ([*PSS, "-keyopt", "rsa_pss_saltlen:max"], "is made with PSS of other parameters than one hash throughout"),
        (["-econtent_type", "1.2.3.4"], "is not one over data that lies in a file of its own"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_openssl_makes_and_we_refuse(arguments: Sequence[str], reason: str, tmp_path: Path) -> None:
    outcome = ours(by_openssl(tmp_path, *arguments))
    assert outcome.verdict is Verdict.MALFORMED
    assert reason in outcome.detail


def test_two_signers_are_refused(tmp_path: Path) -> None:
    second = code_signing_chain("ecdsa-p256").write(tmp_path, "second")
    outcome = ours(by_openssl(tmp_path, "-signer", str(second.chain), "-inkey", str(second.key)))
    assert outcome.verdict is Verdict.MALFORMED
    assert "is by 2 signers, expected one" in outcome.detail


def test_without_certificates_only_a_trusted_key_will_do(tmp_path: Path) -> None:
    case = by_openssl(tmp_path, "-nocerts")
    key = as_public_key(case.holder.key.public_key(), subject="the key")
    (facts,) = find(case, key).facts
    assert (facts.public_key, facts.certificates) == (key, ())
    outcome = ours(case)
    assert outcome.verdict is Verdict.UNTRUSTED
    assert "does not bring the certificate of its signer" in outcome.detail


# --- pyHanko


def by_pyhanko(folder: Path, holder: Holder, *, salt: int | None = None, cades: bool = True, stamped: bool = False) -> Case:
    """Return CONTENT signed by pyHanko's SimpleSigner; with a salt of so many bytes, by PSS."""
    keys, x509 = rigs.require_module("asn1crypto.keys"), rigs.require_module("asn1crypto.x509")
    signers = rigs.require_module("pyhanko.sign.signers.pdf_cms")
    registry = rigs.require_module("pyhanko_certvalidator.registry").SimpleCertificateStore()
    registry.register_multiple(x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in holder.certificates)
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(holder.certificate.public_bytes(Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(holder.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        cert_registry=registry,
        signature_mechanism=None if salt is None else pss_mechanism(salt),
    )
    settings = signers.PdfCMSSignedAttributes(signing_time=datetime.now(UTC).replace(microsecond=0))
    how: dict[str, Any] = {"use_cades": cades, "signed_attr_settings": settings}
    if stamped:
        how["timestamper"] = timestamper()
    made = asyncio.run(signer.async_sign_general_data(CONTENT, "sha256", detached=True, **how))
    return Case(folder, holder, CONTENT, made.dump())


def pss_mechanism(salt: int) -> object:
    hash_ = {"algorithm": "sha256"}
    mask = {"algorithm": "mgf1", "parameters": hash_}
    parameters = {"hash_algorithm": hash_, "mask_gen_algorithm": mask, "salt_length": salt}
    return rigs.require_module("asn1crypto.algos").SignedDigestAlgorithm(
        {"algorithm": "rsassa_pss", "parameters": parameters}
    )


def timestamper() -> object:
    """Return what asks a real authority on pyHanko's behalf."""
    tsp = rigs.require_module("asn1crypto.tsp")
    base = rigs.require_module("pyhanko.sign.timestamps").TimeStamper

    class Local(base):  # type: ignore[misc,valid-type] # known at run time only
        async def async_request_tsa_response(self, req: Any) -> Any:  # noqa: ANN401 - asn1crypto has no types
            return tsp.TimeStampResp.load(TimestampServer(TSA).reply(req.dump()))

    return Local()


@pytest.mark.parametrize("stamped", [False, True], ids=["bare", "stamped"])
@pytest.mark.parametrize("cades", [False, True], ids=["plain", "CAdES"])
@pytest.mark.parametrize(("algorithm", "salt"), [("ecdsa-p256", None), ("rsa-3072", None), ("rsa-3072", 32)])
def test_signatures_by_pyhanko(algorithm: str, salt: int | None, cades: bool, stamped: bool, tmp_path: Path) -> None:  # noqa: FBT001 - parameters
    case = by_pyhanko(tmp_path, code_signing_chain(algorithm), salt=salt, cades=cades, stamped=stamped)
    assert pyhanko(case) == ""
    outcome = ours(case)
    assert outcome.verdict is Verdict.TRUSTED
    assert (outcome.time is not None) is stamped
    changed = case.changed(content=CONTENT + b"!")
    assert ours(changed).verdict is Verdict.HASH_MISMATCH
    assert pyhanko(changed) != ""


def test_the_longest_salt_which_pyhanko_likes_best_is_refused(tmp_path: Path) -> None:
    case = by_pyhanko(tmp_path, code_signing_chain("rsa-3072"), salt=384 - 32 - 2)
    assert pyhanko(case) == ""
    outcome = ours(case)
    assert outcome.verdict is Verdict.MALFORMED
    assert "is made with PSS of other parameters than one hash throughout and a salt as long as its digest" in outcome.detail


def test_the_producer_stamps_what_pyhanko_signed(tmp_path: Path) -> None:
    case = by_pyhanko(tmp_path, code_signing_chain("ecdsa-p256"), stamped=True)
    producer: Any = FORMAT.producer()
    (token,) = find(case).facts[0].timestamps
    bare = case.changed(signature=producer.with_timestamps(case.signature, []))
    assert ours(bare).time is None
    assert pyhanko(bare) == ""
    again = case.changed(signature=producer.with_timestamps(bare.signature, [token]))
    assert ours(again).time == ours(case).time is not None
    assert pyhanko(again) == ""
