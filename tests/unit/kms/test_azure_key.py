"""One key of a vault: its version pinned, its answers checked before they are believed."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, UnsupportedError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import verify_digest

from .azure_rig import Rig, make_service, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...peers.kms.authority import LoopbackCertificate

    Answer = dict[str, Any]

DIGEST = hashlib.sha256(b"artifact").digest()


@pytest.fixture
def rig(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with opened(make_service(), certificate, monkeypatch) as rig:
        yield rig


def test_it_signs_with_one_login_for_all_its_calls(rig: Rig) -> None:
    facts = rig.key.describe()
    for _ in range(3):
        signature = rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
        assert verify_digest(facts.public_key, signature, DIGEST, Scheme.ECDSA_SHA256)
    assert not verify_digest(facts.public_key, signature, hashlib.sha256(b"other").digest(), Scheme.ECDSA_SHA256)
    assert rig.service.calls == ["get", "sign", "sign", "sign"]
    assert rig.service.tokens_given == 1


def test_the_newest_version_signs_whatever_is_rotated_meanwhile(rig: Rig) -> None:
    newest = rig.service.add_key("signing")
    facts = rig.key.describe()
    assert rig.key.version == newest.version
    rig.service.add_key("signing")
    signature = rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert verify_digest(facts.public_key, signature, DIGEST, Scheme.ECDSA_SHA256)


def test_a_version_that_is_named_is_the_one(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    service = make_service()
    first = service.keys["signing"][0].version
    service.add_key("signing")
    with opened(service, certificate, monkeypatch, version=first) as rig:
        rig.key.describe()
        assert rig.key.version == first


def test_a_version_that_is_not_there(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(make_service(), certificate, monkeypatch, version="0" * 32) as rig:
        with pytest.raises(KeyNotFoundError, match=r"Azure Key Vault has no such key \(KeyNotFound\)"):
            rig.key.describe()
        assert rig.service.calls == ["get"]


@pytest.mark.parametrize(("kty", "kind", "found"), [("EC", "P-256K", "EC P-256K"), ("EC-HSM", "P-256K", "EC-HSM P-256K")])
def test_another_kind_is_refused(
    kty: str, kind: str, found: str, certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = pytest.raises(UnsupportedError, match=f"does not sign with keys of type {found}")
    with opened(make_service(kty, kind), certificate, monkeypatch) as rig, refused:
        rig.key.describe()


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"enabled": False}, "cannot use the key: it is disabled; enable it"),
        ({"key_ops": ["verify"]}, "does not let this key sign; allow the operation `sign` on the key"),
    ],
)
def test_a_key_that_may_not_sign_is_refused_at_once(
    attributes: dict[str, object], found: str, certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(make_service(**attributes), certificate, monkeypatch) as rig, pytest.raises(CustodyError, match=found):
        rig.key.describe()


def test_it_signs_no_messages(rig: Rig) -> None:
    assert rig.key.describe().max_message == 0
    with pytest.raises(UnsupportedError, match="the key signs digests"):
        rig.key.sign_message(b"message")


# --- what comes back -------------------------------------------------------------------------------------------------


def in_key(**members: object) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        return answer | {"key": answer["key"] | members}

    return change


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda answer: in_key(kid=answer["key"]["kid"].replace("signing", "other"))(answer), "answered for another key"),
        (lambda answer: in_key(kid=answer["key"]["kid"].rpartition("/")[0])(answer), "answered for another key"),
        (in_key(x=encoded(b"\1" * 32)), "sent a public key that cannot be read"),
        (in_key(x=None), "sent a public key that cannot be read"),
        (in_key(kty="RSA", crv=None), "sent a public key that cannot be read"),
        (in_key(kty="RSA", crv=None, n=encoded(b"\7" * 384), e=encoded(b"\0")), "sent a public key that cannot be read"),
    ],
)
def test_a_public_key_is_checked(rig: Rig, change: Callable[[Answer], Answer], found: str) -> None:
    rig.service.answers["get"] = change
    with pytest.raises(CustodyError, match=f"Azure Key Vault {found}") as caught:
        rig.key.describe()
    assert_presentable(caught.value, (rig.service.token, rig.service.identity))


def test_the_version_that_was_named_must_answer(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    service = make_service()
    first, second = service.keys["signing"][0], service.add_key("signing")
    service.answers["get"] = lambda _: second.bundle(f"{service.base}/keys/signing/{second.version}")
    refused = pytest.raises(CustodyError, match="answered for another key than it was asked for")
    with opened(service, certificate, monkeypatch, version=first.version) as rig, refused:
        rig.key.describe()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "sent no signature"),
        ("", "sent no signature"),
        (encoded(b"\1" * 63), "sent a signature of an impossible length"),
    ],
)
def test_a_signature_is_checked(rig: Rig, value: str | None, found: str) -> None:
    rig.key.describe()
    rig.service.answers["sign"] = lambda answer: answer | {"value": value}
    with pytest.raises(CustodyError, match=f"Azure Key Vault {found}") as caught:
        rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256)
    assert_presentable(caught.value, (rig.service.token, rig.service.identity))


@pytest.mark.parametrize(
    ("r", "der"),
    [
        (b"\x80" * 32, "3045" + "022100" + "80" * 32 + "0220" + "01" * 32),  # a sign bit needs a zero before it
        (b"\0" * 31 + b"\x07", "3025" + "020107" + "0220" + "01" * 32),  # leading zeros go
    ],
)
def test_r_and_s_become_der(rig: Rig, r: bytes, der: str) -> None:
    rig.key.describe()
    rig.service.answers["sign"] = lambda answer: answer | {"value": encoded(r + b"\1" * 32)}
    assert rig.key.sign_digest(DIGEST, Scheme.ECDSA_SHA256).hex() == der


# --- how it is kept --------------------------------------------------------------------------------------------------


KEPT = [
    ("EC", {}, ProtectionLevel.PROVIDER_ASSERTED, "in software, not exportable; Azure Key Vault says so; whether it was"),
    ("EC-HSM", {}, ProtectionLevel.PROVIDER_ASSERTED, "in an HSM, not exportable; Azure Key Vault says so; whether it was"),
    ("EC-HSM", {"hsmPlatform": "0"}, ProtectionLevel.PROVIDER_ASSERTED, "in software, not exportable; Azure Key Vault says"),
    ("EC-HSM", {"exportable": True}, ProtectionLevel.SOFTWARE, "in an HSM; it may be exported"),
    ("EC", {"exportable": True}, ProtectionLevel.SOFTWARE, "in software; it may be exported"),
]


@pytest.mark.parametrize("kept", KEPT)
def test_how_it_is_kept(
    kept: tuple[str, dict[str, object], ProtectionLevel, str],
    certificate: LoopbackCertificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kty, attributes, level, summary = kept
    with opened(make_service(kty, **attributes), certificate, monkeypatch) as rig:
        rig.key.describe()
        protection = rig.key.protection()
        assert rig.service.calls == ["get"]
    assert protection.level is level
    assert protection.summary.startswith(summary)
    assert protection.claims["kty"] == kty
    assert protection.claims["recoveryLevel"] == "Recoverable"
    assert protection.claims["version"] == rig.key.version


# --- its certificate -------------------------------------------------------------------------------------------------


def issue(private: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Ltd")])
    builder = x509.CertificateBuilder(name, name, private.public_key(), 7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(private, hashes.SHA256())


@pytest.fixture
def managed(certificate: LoopbackCertificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Lend a key that stands behind a certificate of the vault."""
    service = make_service(managed=True)
    key = service.keys["signing"][0]
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    service.certificates[key.version] = issue(key.private)
    with opened(service, certificate, monkeypatch) as rig:
        yield rig


def test_the_certificate_of_the_same_version(managed: Rig) -> None:
    (leaf,) = managed.key.describe().certificates
    assert leaf.subject.rfc4514_string() == "CN=Example Ltd"
    assert managed.service.calls == ["get", "certificate"]


def test_a_key_of_no_certificate_costs_no_question(rig: Rig) -> None:
    assert rig.key.describe().certificates == ()
    assert rig.service.calls == ["get"]


def test_a_certificate_that_is_not_there(managed: Rig) -> None:
    managed.service.certificates.clear()
    assert managed.key.describe().certificates == ()
    assert managed.warnings == []


def test_a_certificate_that_may_not_be_read(managed: Rig) -> None:
    managed.service.denied = {"certificates/get"}
    assert managed.key.describe().certificates == ()
    (warning,) = managed.warnings
    assert warning.endswith("its certificate cannot be read without the permission certificates/get")


def test_a_certificate_of_another_key(managed: Rig) -> None:
    version = managed.service.keys["signing"][0].version
    managed.service.certificates[version] = issue(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(CustodyError, match="sent a certificate of another key"):
        managed.key.describe()


@pytest.mark.parametrize("content", ["", base64.b64encode(b"no certificate").decode(), "{no base64}"])
def test_a_certificate_that_is_none(managed: Rig, content: str) -> None:
    managed.service.answers["certificate"] = lambda answer: answer | {"cer": content}
    with pytest.raises(CustodyError, match="sent a certificate that cannot be read"):
        managed.key.describe()
