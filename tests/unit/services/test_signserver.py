"""SignServer: what it is sent, and by which references."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import ConfigurationError, UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import encode_public_key_pem
from hatch_sign_services.signserver import SignServerBackend
from hatch_sign_services.signserver.references import parse_signserver_reference

from .authority import Authority, write_chain
from .signserver_failing import DIGEST, SCHEME, failure

if TYPE_CHECKING:
    from .conftest import SignServerRig


# --- the wire ---------------------------------------------------------------------------------------------------------


def test_a_digest_is_sent_as_the_interface_wants_it(signserver: SignServerRig) -> None:
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        assert signserver.worker.signatures == 0
        signer.sign_digest(DIGEST, SCHEME)
    (request,) = signserver.service.requests
    assert (request.method, request.path) == ("POST", "/signserver/rest/v1/workers/ecdsa-p256/process")
    assert request.headers["x-keyfactor-requested-with"] == "hatch-sign"
    assert request.headers["content-type"] == request.headers["accept"] == "application/json"
    assert request.client == "release engineer"
    assert json.loads(request.body) == {
        "data": base64.b64encode(DIGEST).decode(),
        "encoding": "BASE64",
        "metaData": {"USING_CLIENTSUPPLIED_HASH": "true", "CLIENTSIDE_HASHDIGESTALGORITHM": "SHA-256"},
    }
    assert signserver.worker.signatures == 1


def test_a_worker_may_be_named_by_its_number(signserver: SignServerRig) -> None:
    reference = signserver.reference().replace("/workers/ecdsa-p256", "/workers/1")
    with open_signer(SignServerBackend(), reference, signserver.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)


def test_a_worker_with_a_space_in_its_name_is_found(signserver: SignServerRig) -> None:
    signserver.fake.workers["Plain Signer"] = signserver.worker
    reference = signserver.reference().replace("/workers/ecdsa-p256", "/workers/Plain%20Signer")
    with open_signer(SignServerBackend(), reference, signserver.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)


def test_pss_is_for_workers_that_the_reference_says_do_it(signserver: SignServerRig) -> None:
    signserver.fake.workers["rsa-3072"].algorithm = "NONEwithRSAandMGF1"
    pss = signserver.reference("rsa-3072") + "&padding=pss"
    with open_signer(SignServerBackend(), pss, signserver.context()) as signer:
        assert {scheme.family for scheme in signer.schemes} == {"rsa-pss"}
        assert signer.sign_digest(DIGEST, Scheme.RSA_PSS_SHA256)
    opened = open_signer(SignServerBackend(), signserver.reference("rsa-3072"), signserver.context())
    with opened as signer, pytest.raises(WrongSignatureError):
        signer.sign_digest(DIGEST, Scheme.RSA_PKCS1_SHA256)


def test_a_worker_without_a_certificate_is_known_by_its_public_key(signserver: SignServerRig) -> None:
    path = signserver.folder / "worker.pub"
    path.write_bytes(encode_public_key_pem(signserver.worker.key.public_key()))
    signserver.worker.certificate = None
    reference = signserver.reference(query=f"public-key={path}")
    with open_signer(SignServerBackend(), reference, signserver.context()) as signer:
        assert signer.certificates == ()
        assert signer.sign_digest(DIGEST, SCHEME)


def test_the_chain_is_put_in_order(signserver: SignServerRig) -> None:
    leaf, root = signserver.worker.certificate, signserver.authority.certificate
    write_chain(signserver.folder / "ecdsa-p256.pem", root, leaf)
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        assert signer.certificates == (leaf, root)


def test_it_claims_no_protection_that_the_interface_does_not_tell(signserver: SignServerRig) -> None:
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        assert signer.protection.level.value == "software"
        assert signer.protection.summary == "behind a worker; the service does not say whether it may leave"


def test_the_leaf_that_is_announced_is_the_workers(signserver: SignServerRig) -> None:
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        announced = signer.certificates[0].public_bytes(Encoding.DER)
        signer.sign_digest(DIGEST, SCHEME)
    assert signserver.worker.certificate is not None
    assert announced == signserver.worker.certificate.public_bytes(Encoding.DER)
    assert signserver.warnings == []


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("signserver+https://host/signserver/workers/A", "by one of `certificate` and `public-key`"),
        ("signserver+https://host/signserver/workers/A?certificate=a&public-key=b", "by one of"),
        ("signserver+https://host/signserver/A?certificate=a", "not of the form"),
        ("signserver+https://host/signserver/workers/?certificate=a", "not of the form"),
        ("signserver+https://host/signserver/workers/A/B?certificate=a", "not of the form"),
        ("signserver+https://host:99999/signserver/workers/A?certificate=a", "not of the form"),
        ("signserver+https:///signserver/workers/A?certificate=a", "not of the form"),
        ("signserver+https:workers/A?certificate=a", "not of the form"),
        ("signserver+https://me:open sesame@host/signserver/workers/A?certificate=a", "holds a password"),
        ("signserver+https://host/signserver/workers/A?certificate=a&padding=none", "neither pkcs1 nor pss"),
        ("signserver+https://host/signserver/workers/A?certificat=a", "`certificat` is not a setting"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(signserver: SignServerRig, reference: str, reason: str) -> None:
    error = failure(signserver, reference)
    assert isinstance(error, ConfigurationError)
    assert reason in str(error)


@pytest.mark.parametrize(
    ("address", "process"),
    [
        ("//host/signserver/workers/A", "https://host/signserver/rest/v1/workers/A/process"),
        ("//host:8443/signserver/workers/7", "https://host:8443/signserver/rest/v1/workers/7/process"),
        ("//[::1]:8443/signserver/workers/A", "https://[::1]:8443/signserver/rest/v1/workers/A/process"),
        ("//host/a/b/workers/A", "https://host/a/b/rest/v1/workers/A/process"),
        ("//host/workers/A%2F..%2FB", "https://host/rest/v1/workers/A%2F..%2FB/process"),
    ],
)
def test_an_address_is_taken_apart(address: str, process: str) -> None:
    parsed = parse_signserver_reference(f"signserver+https:{address}?certificate=a.pem")
    assert parsed.origin + parsed.process == process


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "not certificates in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not certificates in PEM"),
        (bytes(2**20 + 1), "more than 1048576 bytes"),
    ],
)
def test_a_certificate_that_cannot_be_read_is_told_of(signserver: SignServerRig, content: bytes | None, reason: str) -> None:
    path = signserver.folder / "ecdsa-p256.pem"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    error = failure(signserver)
    assert isinstance(error, ConfigurationError)
    assert reason in error.message


def test_certificates_that_are_no_chain_are_refused(signserver: SignServerRig) -> None:
    other = Authority("Another Root")
    write_chain(signserver.folder / "ecdsa-p256.pem", signserver.worker.certificate, other.certificate)
    assert "2 certificates that are not one chain" in failure(signserver).message


def test_a_public_key_that_is_none_is_told_of(signserver: SignServerRig) -> None:
    path = signserver.folder / "worker.pub"
    path.write_bytes(b"no key")
    error = failure(signserver, signserver.reference(query=f"public-key={path}"))
    assert isinstance(error, ConfigurationError)
    assert "not a PEM public key" in error.message


def test_an_ed25519_key_is_refused_for_it_signs_no_hashes(signserver: SignServerRig) -> None:
    leaf = signserver.authority.certify("worker", ed25519.Ed25519PrivateKey.generate())
    write_chain(signserver.folder / "ecdsa-p256.pem", leaf)
    error = failure(signserver)
    assert isinstance(error, UnsupportedError)
    assert "an Ed25519 key signs no hashes" in error.message
