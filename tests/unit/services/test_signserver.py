"""SignServer: what it is sent, how a client makes itself known, and what each of its refusals becomes."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    HatchSignError,
    KeyNotFoundError,
    SecretRejectedError,
    SecretUnavailableError,
    UnsupportedError,
    WrongSignatureError,
)
from hatch_sign.values.public_keys import encode_public_key_pem, verify_digest
from hatch_sign_services.client import LARGEST
from hatch_sign_services.signserver import SignServerBackend
from hatch_sign_services.signserver.login import basic_login
from hatch_sign_services.signserver.references import parse_signserver_reference
from tests.unit.remote.services import Time

from .authority import Authority, write_chain, write_pair
from .helpers import IMPATIENT, signserver_key
from .https_server import Answer, Service, serving

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import SignServerRig

DIGEST = hashlib.sha256(b"a wheel").digest()
SCHEME = Scheme.ECDSA_SHA256
PASSWORD = "open sesame"  # noqa: S105 - the tests' own


def failure(signserver: SignServerRig, reference: str | None = None, **environ: str) -> HatchSignError:
    """Return the error of opening the key and signing once."""
    with (
        pytest.raises(HatchSignError) as caught,
        open_signer(SignServerBackend(), reference or signserver.reference(), signserver.context(**environ)) as signer,
    ):
        signer.sign_digest(DIGEST, SCHEME)
    assert_presentable(caught.value, [PASSWORD])
    return caught.value


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


# --- what it refuses --------------------------------------------------------------------------------------------------


def alter(rig: SignServerRig, **changes: Any) -> None:  # noqa: ANN401 - whatever a worker has
    for name, value in changes.items():
        setattr(rig.worker, name, value)


REFUSALS = [
    (
        {"client_hashing": False},
        CustodyError,
        "lets clients of this worker send no hashes (400); set ALLOW_CLIENTSIDEHASHING",
    ),
    ({"accepted": ("SHA-512",)}, CustodyError, "does not accept this hash for the worker (400); add it to ACCEPTED_HASH"),
    (
        {"clients": frozenset()},
        SecretRejectedError,
        "does not let this client use the worker (401); check the client certificate",
    ),
    ({"online": False}, CustodyError, "crypto token is offline 3 times (503); activate the token"),
    ({"accepted": ()}, CustodyError, "failed inside, and may have made the signature"),
    ({"algorithm": "SHA256withDSA"}, CustodyError, "failed inside, and may have made the signature"),
]


@pytest.mark.parametrize(("changes", "expected", "reason"), REFUSALS, ids=lambda value: str(value)[:40])
def test_what_the_worker_refuses_is_told(
    signserver: SignServerRig, changes: dict[str, object], expected: type[HatchSignError], reason: str
) -> None:
    alter(signserver, **changes)
    with signserver_key(signserver, Time(chance=0.0)) as key, pytest.raises(HatchSignError) as caught:
        key.sign_digest(DIGEST, SCHEME)
    assert type(caught.value) is expected
    assert reason in str(caught.value)
    assert f"signserver+https://127.0.0.1:{signserver.service.port}/signserver/workers/ecdsa-p256" in caught.value.message
    assert_presentable(caught.value, [])


def test_an_unknown_worker_is_told(signserver: SignServerRig) -> None:
    reference = signserver.reference().replace("/workers/ecdsa-p256", "/workers/99")
    error = failure(signserver, reference)
    assert isinstance(error, KeyNotFoundError)
    assert "has no such worker (404)" in error.message


# A status, the error that it becomes, what it says, and how often the service is asked.
STATUSES = [
    (400, CustodyError, "cannot do this with the key (400)", 1),
    (401, SecretRejectedError, "does not let this client use the worker (401)", 1),
    (403, CustodyError, "refused (403)", 1),
    (404, KeyNotFoundError, "has no such worker (404)", 1),
    (405, CustodyError, "(405)", 1),
    (406, CustodyError, "(406)", 1),
    (413, CustodyError, "(413)", 1),
    (415, CustodyError, "(415)", 1),
    (429, CustodyError, "asked for fewer calls 3 times (429)", 3),
    (500, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (500)", 1),
    (502, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (502)", 1),
    (503, CustodyError, "crypto token is offline 3 times (503)", 3),
    (504, CustodyError, "failed inside, and may have made the signature; it is not asked for it again (504)", 1),
    (301, CustodyError, "answered with a redirection, which is not followed", 1),
    (307, CustodyError, "answered with a redirection, which is not followed", 1),
]


@pytest.mark.parametrize(("status", "expected", "reason", "asked"), STATUSES)
def test_every_status_is_one_error(
    signserver: SignServerRig, status: int, expected: type[HatchSignError], reason: str, asked: int
) -> None:
    body = {"error": f"repeats {PASSWORD} and\nmore"}
    signserver.service.scripted += [Answer.of(status, body, Location="https://127.0.0.1:1/elsewhere")] * 3
    with signserver_key(signserver, Time(chance=0.0)) as key, pytest.raises(HatchSignError) as caught:
        key.sign_digest(DIGEST, SCHEME)
    assert type(caught.value) is expected
    assert reason in caught.value.message
    assert_presentable(caught.value, [PASSWORD, "repeats"])
    assert len(signserver.service.requests) == asked


@pytest.mark.parametrize("status", [429, 503])
def test_what_passes_is_asked_again_when_the_service_says(signserver: SignServerRig, status: int) -> None:
    signserver.service.scripted += [Answer.of(status, {}, Retry_After="7"), Answer.of(status, {})]
    time = Time(chance=0.0)
    with signserver_key(signserver, time) as key:
        signature = key.sign_digest(DIGEST, SCHEME)
    assert verify_digest(signserver.worker.key.public_key(), signature, DIGEST, SCHEME)
    assert time.slept == [7.0, 0.0]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("vanish", "broke the connection off, and may have made the signature"),
        ("cut", "broke the connection off, and may have made the signature"),
        ("stall", "did not answer in time, and may have made the signature"),
        ("drip", "did not answer in time, and may have made the signature"),
    ],
)
def test_a_connection_that_fails_is_one_error(signserver: SignServerRig, fault: str, reason: str) -> None:
    answer = Answer(200, b"{" + b" " * 100, fault=fault)
    signserver.service.scripted += [answer]
    with signserver_key(signserver, Time(chance=0.0), limits=IMPATIENT) as key:
        with pytest.raises(CustodyError, match=reason):
            key.sign_digest(DIGEST, SCHEME)
        assert len(signserver.service.requests) == 1
        assert verify_digest(signserver.worker.key.public_key(), key.sign_digest(DIGEST, SCHEME), DIGEST, SCHEME)


def test_a_service_that_is_not_there_is_one_error(signserver: SignServerRig) -> None:
    reference = signserver.reference().replace(f":{signserver.service.port}/", ":9/")
    opened = signserver_key(signserver, Time(chance=0.0), reference=reference)
    with opened as key, pytest.raises(CustodyError, match="could not be reached 3 times; check the network"):
        key.sign_digest(DIGEST, SCHEME)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"[]", "the answer is not an object"),
        (b"{}", "the answer lacks data"),
        (b'{"data": 1}', "the answer.data is not a string"),
        (b'{"data": ""}', "data is not canonical base64"),
        (b'{"data": "AAA"}', "data is not canonical base64"),
        (b'{"data": "AAAA", "data": "AAAA"}', "same member twice"),
        (b'{"data": "AAAA", "signerCertificate": "?"}', "signerCertificate is not canonical base64"),
        (b" " * (LARGEST + 1), "answered with more than 1048576 bytes"),
    ],
)
def test_an_answer_that_is_none_is_refused(signserver: SignServerRig, body: bytes, reason: str) -> None:
    signserver.service.scripted += [Answer(200, body)]
    error = failure(signserver)
    assert type(error) is CustodyError
    assert reason in error.message
    assert len(signserver.service.requests) == 1


def test_a_signature_of_another_key_is_caught(signserver: SignServerRig) -> None:
    signserver.worker.key = ec.generate_private_key(ec.SECP256R1())
    assert isinstance(failure(signserver), WrongSignatureError)


def test_a_certificate_that_was_renewed_is_told_once(signserver: SignServerRig) -> None:
    signserver.worker.certificate = signserver.authority.certify("renewed", signserver.worker.key)
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
        assert signer.sign_digest(DIGEST, SCHEME)
    (warning,) = signserver.warnings
    assert f"has another certificate than {signserver.folder}/ecdsa-p256.pem: fetch the new chain" in warning


# --- how a client makes itself known ----------------------------------------------------------------------------------


def test_a_client_that_shows_no_certificate_is_refused(signserver: SignServerRig) -> None:
    assert isinstance(failure(signserver, SIGNSERVER_CLIENT_CERTIFICATE=""), SecretRejectedError)


def test_a_client_that_is_not_allowed_is_refused(signserver: SignServerRig, tls_folder: tuple[Path, Authority]) -> None:
    error = failure(signserver, SIGNSERVER_CLIENT_CERTIFICATE=str(tls_folder[0] / "stranger.pem"))
    assert isinstance(error, SecretRejectedError)


def test_a_worker_for_everybody_needs_nothing(signserver: SignServerRig) -> None:
    signserver.worker.authorization = "NOAUTH"
    context = signserver.context(SIGNSERVER_CLIENT_CERTIFICATE="")
    with open_signer(SignServerBackend(), signserver.reference(), context) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)


@pytest.mark.parametrize("by_pin_source", [False, True])
def test_a_client_key_that_is_encrypted_needs_its_password(
    signserver: SignServerRig, tls_folder: tuple[Path, Authority], *, by_pin_source: bool
) -> None:
    locked = str(tls_folder[0] / "locked.pem")
    variable = "MY_PASSWORD" if by_pin_source else "SIGNSERVER_CLIENT_KEY_PASSWORD"
    reference = signserver.reference() + ("&pin-source=env:MY_PASSWORD" if by_pin_source else "")
    context = signserver.context(SIGNSERVER_CLIENT_CERTIFICATE=locked, **{variable: PASSWORD})
    with open_signer(SignServerBackend(), reference, context) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
    error = failure(signserver, reference, SIGNSERVER_CLIENT_CERTIFICATE=locked, **{variable: "wrong"})
    assert isinstance(error, SecretRejectedError)
    assert f"{locked}: the password does not decrypt the private key" in error.message
    assert isinstance(failure(signserver, reference, SIGNSERVER_CLIENT_CERTIFICATE=locked), SecretUnavailableError)


def test_the_key_of_the_client_may_stand_in_a_file_of_its_own(
    signserver: SignServerRig, tls_folder: tuple[Path, Authority]
) -> None:
    folder = tls_folder[0]
    certificate = signserver.folder / "certificate.pem"
    certificate.write_bytes((folder / "client.pem").read_bytes().partition(b"-----BEGIN PRIVATE KEY")[0])
    apart = {"SIGNSERVER_CLIENT_CERTIFICATE": str(certificate), "SIGNSERVER_CLIENT_KEY": str(folder / "client.pem")}
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context(**apart)) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
    for wrong in ({"SIGNSERVER_CLIENT_KEY": ""}, {"SIGNSERVER_CLIENT_KEY": str(folder / "stranger.pem")}):
        error = failure(signserver, **{**apart, **wrong})
        assert isinstance(error, ConfigurationError)
        assert "cannot be read as a client certificate in PEM with its private key" in error.message
    mixed = {"SIGNSERVER_CLIENT_CERTIFICATE": f"{folder}/stranger.pem", "SIGNSERVER_CLIENT_KEY": f"{folder}/locked.pem"}
    error = failure(signserver, SIGNSERVER_CLIENT_KEY_PASSWORD=PASSWORD, **mixed)
    assert isinstance(error, ConfigurationError), "the password is right, and may be used again in this run"
    assert (
        "SIGNSERVER_CLIENT_CERTIFICATE is not"
        in failure(signserver, **{**apart, "SIGNSERVER_CLIENT_CERTIFICATE": ""}).message
    )


@pytest.mark.parametrize("bundle", ["nowhere.pem", "ecdsa-p256.pub"])
def test_authorities_that_cannot_be_read_are_told_of(signserver: SignServerRig, bundle: str) -> None:
    (signserver.folder / "ecdsa-p256.pub").write_bytes(b"no certificate")
    error = failure(signserver, SIGNSERVER_CA_BUNDLE=str(signserver.folder / bundle))
    assert isinstance(error, ConfigurationError)
    assert "the PEM file of certificate authorities" in error.message


def test_a_server_that_nobody_vouches_for_is_sent_nothing(signserver: SignServerRig) -> None:
    other = write_chain(signserver.folder / "other.pem", Authority("Test Root").certificate)
    error = failure(signserver, SIGNSERVER_CA_BUNDLE=str(other))
    assert (
        "showed a TLS certificate that is not trusted; check the host, or name its authority in SIGNSERVER_CA_BUNDLE"
        in str(error)
    )
    assert signserver.service.requests == []


def test_a_server_for_another_host_is_sent_nothing(signserver: SignServerRig, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = write_pair(tmp_path / "other-host.pem", signserver.authority.certify("elsewhere", key), key)
    with serving(Service(signserver.fake.respond), certificate) as other:
        reference = signserver.reference().replace(f":{signserver.service.port}/", f":{other.port}/")
        assert "showed a TLS certificate that is not trusted" in failure(signserver, reference).message
        assert other.requests == []


@pytest.mark.parametrize("shown", [None, "foreign.pem"])
def test_a_handshake_that_fails_for_want_of_a_certificate_is_told_of(
    signserver: SignServerRig, tls_folder: tuple[Path, Authority], shown: str | None
) -> None:
    folder, key = tls_folder[0], ec.generate_private_key(ec.SECP256R1())
    write_pair(signserver.folder / "foreign.pem", Authority("Another Root").certify("release engineer", key), key)
    ours = {"client_authority": folder / "ca.pem", "demands": True}
    with serving(Service(signserver.fake.respond), folder / "server.pem", **ours) as strict:  # type: ignore[arg-type] # as named
        reference = signserver.reference().replace(f":{signserver.service.port}/", f":{strict.port}/")
        certificate = str(signserver.folder / shown) if shown else ""
        opened = signserver_key(signserver, Time(chance=0.0), reference=reference, SIGNSERVER_CLIENT_CERTIFICATE=certificate)
        with opened as worker, pytest.raises(HatchSignError) as caught:
            worker.sign_digest(DIGEST, SCHEME)
        assert strict.requests == []
    assert "ended the TLS handshake: it may want a client certificate" in caught.value.message
    assert isinstance(caught.value, SecretRejectedError)


# --- Basic ------------------------------------------------------------------------------------------------------------


def basic(rig: SignServerRig, password: str) -> dict[str, str]:
    alter(rig, authorization="BASIC", password=PASSWORD)
    login = {"SIGNSERVER_USERNAME": "engineer", "SIGNSERVER_PASSWORD": password, "SIGNSERVER_URL": rig.service.origin}
    return {**login, "SIGNSERVER_CLIENT_CERTIFICATE": ""}


def test_a_name_and_a_password_are_enough(signserver: SignServerRig) -> None:
    context = signserver.context(**basic(signserver, PASSWORD))
    with open_signer(SignServerBackend(), signserver.reference(), context) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)


def test_a_wrong_password_is_tried_once_by_all_threads_together(signserver: SignServerRig) -> None:
    """Each try more could lock the account."""
    signserver.service.delay = 0.05
    context = signserver.context(**basic(signserver, "wrong"))
    with open_signer(SignServerBackend(), signserver.reference(), context) as signer, ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(signer.sign_digest, DIGEST, SCHEME) for _ in range(8)]
        errors = [future.exception() for future in futures]
    assert [type(error) for error in errors] == [SecretRejectedError] * 8
    with pytest.raises(SecretRejectedError), SignServerBackend().open(signserver.reference(), context):
        pass
    assert len(signserver.service.requests) == 1


def test_the_password_is_asked_for_before_the_run(signserver: SignServerRig) -> None:
    environ = basic(signserver, "")
    with (
        pytest.raises(SecretUnavailableError, match="SIGNSERVER_PASSWORD"),
        SignServerBackend().open(signserver.reference(), signserver.context(**environ)),
    ):
        pass
    assert signserver.service.requests == []


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("", "SIGNSERVER_URL is not set; where that server is yours, set SIGNSERVER_URL=https://127.0.0.1:"),
        ("https://127.0.0.1", "SIGNSERVER_URL names https://127.0.0.1; where"),
        ("https://signserver.example:8443", "SIGNSERVER_URL names https://signserver.example:8443; where"),
        ("http://127.0.0.1:{port}", "SIGNSERVER_URL is not of the form https://HOST[:PORT]"),
        ("https://127.0.0.1:{port}/signserver", "SIGNSERVER_URL is not of the form https://HOST[:PORT]"),
        ("https://engineer@127.0.0.1:{port}", "SIGNSERVER_URL is not of the form https://HOST[:PORT]"),
    ],
)
@pytest.mark.parametrize("source", ["variable", "pin-source", "file"])
def test_a_host_that_the_environment_does_not_name_is_sent_no_password(
    signserver: SignServerRig, named: str, reason: str, source: str
) -> None:
    """A project may name any host, and any variable or file as the source of the password."""
    environ = {**basic(signserver, PASSWORD), "SIGNSERVER_URL": named.format(port=signserver.service.port)}
    asked = {"variable": "", "pin-source": "&pin-source=env:AWS_SECRET", "file": "&pin-source=file:/nowhere"}[source]
    if asked:
        del environ["SIGNSERVER_PASSWORD"]
    error = failure(signserver, signserver.reference() + asked, **environ)
    assert type(error) is ConfigurationError, "before the variable or the file is looked for"
    assert reason in str(error)
    assert signserver.service.requests == []


def test_the_server_is_compared_as_an_origin(signserver: SignServerRig) -> None:
    def login(reference: str, named: str) -> object:
        environ = basic(signserver, PASSWORD) | {"SIGNSERVER_URL": named}
        return basic_login(parse_signserver_reference(reference), signserver.context(**environ))

    reference = "signserver+https://Sign.Example/signserver/workers/A?certificate=a"
    for named in ("https://sign.example", "HTTPS://SIGN.example:443/", "https://sign.example:0443"):
        assert login(reference, named)
    for named in ("https://sign.example:8443", "https://sign.example.evil", "https://evil.sign.example"):
        with pytest.raises(ConfigurationError, match=r"no password is sent to https://Sign\.Example"):
            login(reference, named)


def test_a_password_that_a_person_types_needs_no_leave(signserver: SignServerRig) -> None:
    environ = basic(signserver, PASSWORD)
    del environ["SIGNSERVER_PASSWORD"], environ["SIGNSERVER_URL"]
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return PASSWORD

    context = RunContext({**signserver.environ, **environ}, on_warning=print, prompt=answer)
    with open_signer(SignServerBackend(), signserver.reference(), context) as signer:
        assert signer.sign_digest(DIGEST, SCHEME)
    assert f"user engineer at {signserver.service.origin}" in questions[0]


def test_a_name_with_a_colon_is_refused(signserver: SignServerRig) -> None:
    error = failure(signserver, **{**basic(signserver, PASSWORD), "SIGNSERVER_USERNAME": "a:b"})
    assert isinstance(error, ConfigurationError)


def test_the_leaf_that_is_announced_is_the_workers(signserver: SignServerRig) -> None:
    with open_signer(SignServerBackend(), signserver.reference(), signserver.context()) as signer:
        announced = signer.certificates[0].public_bytes(Encoding.DER)
        signer.sign_digest(DIGEST, SCHEME)
    assert signserver.worker.certificate is not None
    assert announced == signserver.worker.certificate.public_bytes(Encoding.DER)
    assert signserver.warnings == []
