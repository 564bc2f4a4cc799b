from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.custody.certificates import order_chain, parse_certificates
from hatch_sign.trust.names import parse_name
from hatch_sign.values.errors import ConfigurationError, MalformedError, UsageError
from tests.certificate_damage import UNREADABLE, with_damaged_name


def _certify(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    names = parse_name(f"CN={issuer}"), parse_name(f"CN={subject}")
    builder = x509.CertificateBuilder(*names, key.public_key(), 1, day, day.replace(year=2030))
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.mark.parametrize("subject", ["", "Example Ltd", "CN=", "CN=a,,O=b", "XX=1", "C=Slovenia"])
def test_a_subject_that_is_none_is_refused(subject: str) -> None:
    with pytest.raises(ConfigurationError, match="distinguished name"):
        parse_name(subject)


def test_a_chain_is_put_in_order() -> None:
    root_key, ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root, ca, leaf = (
        _certify("r", root_key, "r", root_key),
        _certify("ca", ca_key, "r", root_key),
        _certify("l", key, "ca", ca_key),
    )
    assert order_chain([root, ca, leaf, ca], key.public_key(), subject="f") == [leaf, ca, root]
    with pytest.raises(UsageError, match="f: none of its 2 certificates is for this key"):
        order_chain([root, ca], key.public_key(), subject="f")
    with pytest.raises(UsageError, match="CN=r does not belong"):
        order_chain([root, leaf], key.public_key(), subject="f")
    with pytest.raises(UsageError, match=f"the certificate of {UNREADABLE} does not belong"):
        order_chain([with_damaged_name(ca, "ca"), leaf], key.public_key(), subject="f")


def test_certificates_are_read_from_pem_and_der() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certify("l", key, "l", key)
    pem, der = (leaf.public_bytes(encoding) for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER))
    assert parse_certificates(pem * 2, subject="f") == [leaf, leaf]
    assert parse_certificates(der, subject="f") == [leaf]
    for wrong in (b"", der[:-1], der + b"\0", pem[:-40], pem.replace(b"CERT", b"CART"), pem + b" " * 2**20):
        with pytest.raises(MalformedError, match=r"f: (neither|holds no PEM certificate)"):
            parse_certificates(wrong, subject="f")
