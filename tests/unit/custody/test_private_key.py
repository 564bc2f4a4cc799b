from __future__ import annotations

import copy
import pickle
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs7

from hatch_sign.backends.emulated.keys import StoredKey
from hatch_sign.backends.emulated.signer import EmulatedSigner
from hatch_sign.backends.emulated.wrapping import Sealed
from hatch_sign.custody.certificates import make_request
from hatch_sign.custody.checked_signer import CheckedSigner
from hatch_sign.custody.private_key import as_private_key
from hatch_sign.trust.names import parse_name
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hatch_sign.custody.private_key import PrivateKey

_KEYS: dict[str, PrivateKey] = {
    "rsa-3072": rsa.generate_private_key(65537, 3072),
    "ecdsa-p256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def _checked(kind: str) -> CheckedSigner:
    private = _KEYS[kind]
    stored = StoredKey("k", private.public_key(), b"", Sealed(b"", b""), ())
    return CheckedSigner(EmulatedSigner(stored, private, subject="emulated:t/k", concurrency=1), reference="emulated:t/k")


def _in_token(kind: str) -> PrivateKey:
    return as_private_key(_checked(kind))


@pytest.mark.parametrize("kind", _KEYS)
def test_it_is_a_key_of_its_kind(kind: str) -> None:
    key, private = _in_token(kind), _KEYS[kind]
    interfaces = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)
    assert [isinstance(key, each) for each in interfaces] == [isinstance(private, each) for each in interfaces]
    assert key.public_key() == private.public_key()
    assert getattr(key, "key_size", None) == getattr(private, "key_size", None)
    assert getattr(getattr(key, "curve", None), "name", None) == getattr(getattr(private, "curve", None), "name", None)


@pytest.mark.parametrize("kind", _KEYS)
def test_the_key_does_not_leave(kind: str) -> None:
    key = _in_token(kind)
    ways: list[Callable[[], object]] = [
        lambda: key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        lambda: copy.copy(key),
        lambda: copy.deepcopy(key),
        lambda: pickle.dumps(key),
    ]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        ways += [key.private_numbers, lambda: key.exchange(ec.ECDH(), key.public_key())]
    if isinstance(key, rsa.RSAPrivateKey):
        ways += [key.private_numbers, lambda: key.decrypt(b"", padding.PKCS1v15())]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        ways += [key.private_bytes_raw]
    for way in ways:
        with pytest.raises(UnsupportedError, match="emulated:t/k: the key does not leave its token"):
            way()


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()], ids=lambda digest: digest.name)
@pytest.mark.parametrize("prehashed", [False, True])
def test_rsa_signs_by_both_paddings(digest: hashes.HashAlgorithm, prehashed: bool) -> None:  # noqa: FBT001 (a parameter)
    key = _in_token("rsa-3072")
    assert isinstance(key, rsa.RSAPrivateKey)
    hasher = hashes.Hash(digest)
    hasher.update(b"x")
    data, algorithm = (hasher.finalize(), utils.Prehashed(digest)) if prehashed else (b"x", digest)
    pss = [padding.PSS(padding.MGF1(digest), length) for length in (digest.digest_size, padding.PSS.DIGEST_LENGTH)]
    for chosen in (padding.PKCS1v15(), *pss):
        signature = key.sign(data, chosen, algorithm)
        key.public_key().verify(signature, b"x", chosen, digest)
        with pytest.raises(InvalidSignature):
            key.public_key().verify(signature, b"y", chosen, digest)


@pytest.mark.parametrize(
    ("chosen", "algorithm", "reason"),
    [
        (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256(), "padding"),
        (padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256(), "padding"),
        (padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256(), "padding"),  # noqa: S303 (refused)
        (padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None), hashes.SHA256(), "padding"),
        (padding.PKCS1v15(), hashes.SHA1(), "sha1 is not supported"),  # noqa: S303 (refused)
        (padding.PKCS1v15(), utils.Prehashed(hashes.SHA3_256()), "sha3-256 is not supported"),
        (padding.PKCS1v15(), None, "without its hash"),
    ],
)
def test_rsa_refuses_what_is_outside_the_table(chosen: padding.AsymmetricPadding, algorithm: object, reason: str) -> None:
    key = _in_token("rsa-3072")
    assert isinstance(key, rsa.RSAPrivateKey)
    with pytest.raises(UnsupportedError, match=reason):
        key.sign(bytes(32), chosen, algorithm)  # type: ignore[arg-type] # also what no type allows


def test_ecdsa_signs_digests_and_messages() -> None:
    key = _in_token("ecdsa-p384")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.public_key().verify(key.sign(b"x", ec.ECDSA(hashes.SHA384())), b"x", ec.ECDSA(hashes.SHA384()))
    prehashed = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    key.public_key().verify(key.sign(bytes(32), prehashed), bytes(32), prehashed)


@pytest.mark.parametrize(
    "algorithm",
    [ec.ECDSA(hashes.SHA256(), deterministic_signing=True), ec.ECDSA(hashes.SHA1()), ec.ECDSA(hashes.SHA512())],  # noqa: S303 (refused)
)
def test_ecdsa_refuses_what_is_outside_the_table(algorithm: ec.ECDSA) -> None:
    key = _in_token("ecdsa-p384" if isinstance(algorithm.algorithm, hashes.SHA512) else "ecdsa-p256")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    with pytest.raises(UnsupportedError):
        key.sign(b"x", algorithm)


@pytest.mark.parametrize("kind", _KEYS)
def test_openssl_accepts_the_request(kind: str, tmp_path: Path) -> None:
    request = tmp_path / "request.pem"
    request.write_bytes(make_request(_checked(kind), "CN=Example Ltd,O=Example Ltd,C=SI,jurisdictionC=SI"))
    command = ["openssl", "req", "-in", str(request), "-verify", "-noout", "-text"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "verify OK" in answer.stderr
    assert "Code Signing" in answer.stdout
    assert "Digital Signature" in answer.stdout
    der = bytearray(x509.load_pem_x509_csr(request.read_bytes()).public_bytes(serialization.Encoding.DER))
    der[der.index(b"Example")] ^= 1
    tampered = tmp_path / "tampered.der"
    tampered.write_bytes(der)
    command = ["openssl", "req", "-in", str(tampered), "-inform", "DER", "-verify", "-noout"]
    assert "verify failure" in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_a_key_with_pss_alone_makes_a_request() -> None:
    class PssOnly(EmulatedSigner):
        schemes = (Scheme.RSA_PSS_SHA256,)

    private = _KEYS["rsa-3072"]
    stored = StoredKey("k", private.public_key(), b"", Sealed(b"", b""), ())
    signer = CheckedSigner(PssOnly(stored, private, subject="t", concurrency=1), reference="emulated:t/k")
    request = x509.load_pem_x509_csr(make_request(signer, "CN=x"))
    assert isinstance(request.signature_algorithm_parameters, padding.PSS)
    assert request.is_signature_valid


def _certify(subject: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey) -> x509.Certificate:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    names = parse_name(f"CN={issuer}"), parse_name(f"CN={subject}")
    builder = x509.CertificateBuilder(*names, key.public_key(), 1, day, day.replace(year=2030))
    return builder.sign(issuer_key, hashes.SHA256())


def test_pkcs7_is_signed_inside(tmp_path: Path) -> None:
    key = _in_token("ecdsa-p256")
    leaf = _certify("leaf", key, "leaf", key)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"x").add_signer(leaf, key, hashes.SHA256())
    (tmp_path / "x.p7s").write_bytes(builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature]))
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "y").write_bytes(b"y")
    (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))

    def verify(content: str) -> int:
        command = [
            "openssl",
            "cms",
            "-verify",
            "-in",
            "x.p7s",
            "-inform",
            "DER",
            "-content",
            content,
            "-binary",
            "-noverify",
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert verify("x") == 0
    assert verify("y") != 0
