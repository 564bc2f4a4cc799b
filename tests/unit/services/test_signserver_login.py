"""SignServer: how a client makes itself known, and to whom it does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import ConfigurationError, HatchSignError, SecretRejectedError, SecretUnavailableError
from hatch_sign_services.signserver import SignServerBackend
from hatch_sign_services.signserver.login import basic_login
from hatch_sign_services.signserver.references import parse_signserver_reference
from tests.unit.remote.services import Time

from .authority import Authority, write_chain, write_pair
from .helpers import signserver_key
from .https_server import Service, serving
from .signserver_failing import DIGEST, PASSWORD, SCHEME, alter, failure

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import SignServerRig


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
