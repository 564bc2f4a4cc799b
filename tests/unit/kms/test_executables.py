"""Executables that are found, allowed, asked, and survived: the faults are those of a real program."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError, CustodyError, UnsupportedError, WrongSignatureError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.executables import ExecutableBackend, answers
from hatch_sign_kms.executables.asking import Executable, find
from hatch_sign_kms.executables.calls import Call
from hatch_sign_kms.executables.finding import clean_environment, find_executable, without_secrets
from hatch_sign_kms.executables.references import parse_executable_reference

from .executables_rig import TOKEN, Rig, install

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_sign.values.errors import HatchSignError


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return install(tmp_path)


def failure(rig: Rig, reference: str | None = None, **environ: str) -> HatchSignError:
    """Return the error of opening a key, which shows no credential."""
    with (
        pytest.raises((CustodyError, ConfigurationError)) as caught,
        ExecutableBackend().open(reference or rig.reference(), rig.context(**environ)),
    ):
        pass
    assert_presentable(caught.value, [TOKEN])
    return caught.value


# --- references -------------------------------------------------------------------------------------------------------


def test_the_key_is_passed_on_as_it_is_written() -> None:
    parsed = parse_executable_reference("My-HSM://Folder/Key%20A?zone=1#2")
    assert (parsed.name, parsed.key, parsed.text) == ("my-hsm", "Folder/Key%20A?zone=1#2", "my-hsm://Folder/Key%20A")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("localkeys:key", "not of the form NAME://KEY"),
        ("localkeys://", "not of the form NAME://KEY"),
        ("sigstore-kms://key", "not of the form NAME://KEY"),
        ("localkeys://key?pin-source=env:PIN", "is given no PIN"),
        ("localkeys://key?pin-value=1234", "holds a PIN"),
        ("localkeys://user:password@host/key", "holds a password"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(rig: Rig, reference: str, reason: str) -> None:
    error = failure(rig, reference)
    assert isinstance(error, ConfigurationError)
    assert reason in error.message


# --- what may be run --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", ["", "other", "localkey", "localkeys2", "LOCALKEYS", "*", "local/keys", "local keys"])
def test_an_executable_that_is_not_allowed_is_not_run(rig: Rig, allowed: str) -> None:
    trace = rig.folder / "trace"
    error = failure(rig, HATCH_SIGN_ALLOW_KMS=allowed, LOCAL_KEYS_FAULT="child", LOCAL_KEYS_CHILD=str(trace))
    assert isinstance(error, ConfigurationError)
    assert "HATCH_SIGN_ALLOW_KMS=localkeys" in error.remedy
    assert not trace.exists()


@pytest.mark.parametrize("allowed", ["other,localkeys", "other, localkeys ", " localkeys"])
def test_several_may_be_allowed(rig: Rig, allowed: str) -> None:
    with ExecutableBackend().open(rig.reference(), rig.context(HATCH_SIGN_ALLOW_KMS=allowed)) as signer:
        assert describe_key(signer.public_key) == "ecdsa-p256"


def test_the_working_directory_is_never_looked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    rig = install(tmp_path, into=project)
    link = tmp_path / "link"
    link.symlink_to(project)
    monkeypatch.chdir(project)
    install(tmp_path, into=tmp_path / "elsewhere")
    for path in ("", ".", "../elsewhere", str(project), f"{project}/", str(link), f"{project}/../project", str(rig.bin)):
        error = failure(rig, PATH=path)
        assert "there is no sigstore-kms-localkeys on an absolute entry of PATH" in error.message
    monkeypatch.chdir(tmp_path)
    assert (
        find_executable("localkeys", {"PATH": f".:{project}"}, directory=str(tmp_path))
        == f"{project}/sigstore-kms-localkeys"
    )


def test_what_cannot_be_run_is_passed_over(rig: Rig, tmp_path: Path) -> None:
    broken, folder = tmp_path / "broken", tmp_path / "folder"
    broken.mkdir()
    (broken / "sigstore-kms-localkeys").write_text("no program")
    (folder / "sigstore-kms-localkeys").mkdir(parents=True)
    found = find_executable("localkeys", {"PATH": f"{broken}:{folder}:{rig.bin}"}, directory="/")
    assert found == str(rig.bin / "sigstore-kms-localkeys")


def test_a_program_that_cannot_be_started_is_told_of(rig: Rig) -> None:
    (rig.bin / "sigstore-kms-localkeys").write_text("#!/nonexistent/interpreter\n")
    assert "sigstore-kms-localkeys cannot be run: No such file or directory" in failure(rig).message


def test_the_way_to_the_key_is_told_from_the_outside_in(rig: Rig) -> None:
    def told(**environ: str) -> list[tuple[str, str]]:
        found = ExecutableBackend().diagnose(rig.reference(), rig.context(**environ))
        return [(symptom.status, symptom.subject) for symptom in found]

    allowed, found = ("ok", "permission"), ("ok", "executable")
    assert told() == [allowed, found, ("ok", "key")]
    assert told(HATCH_SIGN_ALLOW_KMS="") == [("failure", "permission")]
    assert told(PATH="/nowhere") == [allowed, ("failure", "executable")]
    assert told(LOCAL_KEYS_TOKEN="wrong") == [allowed, found, ("failure", "key")]  # noqa: S106 - it is wrong


# --- its environment --------------------------------------------------------------------------------------------------

WITHHELD = {
    "HATCH_SIGN_PIN": "1234",
    "HATCH_SIGN_KEY": "emulated:release",
    "HATCH_INDEX_AUTH": "a",
    "COSIGN_PKCS11_PIN": "1234",
    "COSIGN_PASSWORD": "a",
    "SIGNSERVER_PASSWORD": "a",
    "GPG_PASSPHRASE": "a",
    "PASSPHRASE_OF_RELEASE": "a",
    "USERPIN": "1234",
    "PIP_FIND_LINKS": "https://user:password@index.example/wheels",
    "UV_FIND_LINKS": "https://user:password@index.example/wheels",
    "PIP_PROXY": "http://user:password@proxy.example",
    "HSM_PIN": "1234",
    "TWINE_PASSWORD": "a",
    "UV_PUBLISH_TOKEN": "a",
    "UV_INDEX_PRIVATE_PASSWORD": "a",
    "PIP_INDEX_URL": "https://user:password@index.example/simple",
    "POETRY_PYPI_TOKEN_PYPI": "a",
    "PDM_PUBLISH_PASSWORD": "a",
    "FLIT_PASSWORD": "a",
    "PYPI_TOKEN": "a",
    "MY_PYPI_SECRET": "a",
    "hatch_sign_pin": "1234",
}
HANDED_ON = {
    "HOME": "/home/a",
    "VAULT_TOKEN": "a",
    "AWS_SECRET_ACCESS_KEY": "a",
    "AWS_PROFILE": "a",
    "SPINNAKER_URL": "a",
    "HTTPS_PROXY": "a",
}
"""By the token and the key an executable may log in to its service."""


def test_the_environment_holds_nothing_that_is_not_its_business() -> None:
    assert clean_environment(WITHHELD | HANDED_ON) == HANDED_ON


def test_that_is_the_environment_that_it_sees(rig: Rig) -> None:
    message = failure(rig, LOCAL_KEYS_FAULT="environment", **WITHHELD, **HANDED_ON).message
    names = set(message.rpartition("refused: ")[2].split(" (")[0].split())
    # What an interpreter adds for itself is no matter.
    assert names - {"LC_CTYPE"} == {"PATH", "LOCAL_KEYS_TOKEN", "LOCAL_KEYS_FAULT", *HANDED_ON}


def test_it_does_not_run_in_the_project(rig: Rig) -> None:
    assert f"refused: {os.path.realpath(rig.bin)}" in failure(rig, LOCAL_KEYS_FAULT="folder").message


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("flood", "sigstore-kms-localkeys answered with more than 1048576 bytes"),
        ("crash", "sigstore-kms-localkeys was ended by signal 9"),
        ("nothing", "gave no answer of protocol v1: the answer is not JSON"),
        ("rubbish", "gave no answer of protocol v1: publicKey.publicKeyPEM is not canonical base64"),
    ],
)
def test_a_program_that_fails_is_one_error(rig: Rig, fault: str, reason: str) -> None:
    error = failure(rig, LOCAL_KEYS_FAULT=fault)
    assert type(error) is CustodyError
    assert reason in error.message


def test_its_last_words_are_shown_without_the_credential(rig: Rig) -> None:
    message = failure(rig, LOCAL_KEYS_FAULT="nothing").message
    assert "its last words were: the licence has expired for *** (1)" in message


def test_what_it_refuses_is_shown_without_the_credential(rig: Rig) -> None:
    wrong = "wrong sesame"
    error = failure(rig, LOCAL_KEYS_TOKEN=wrong)
    assert_presentable(error, [wrong])
    assert "localkeys://" in error.message
    assert "sigstore-kms-localkeys refused: token *** was not accepted" in error.message


def test_secrets_are_found_by_the_names_of_their_variables() -> None:
    environ = {"A_TOKEN": "sesame", "B_TOKEN": "sesame-open", "C_PASSWORD": "abc", "TOKENS": "kept", "EMPTY_SECRET": ""}
    assert without_secrets("sesame-open sesame abc kept", environ) == "*** *** abc kept"


@pytest.mark.parametrize("name", ["MYAPIKEY", "PGPASSWORD", "GPG_PASSPHRASE", "myapikey"])
def test_a_name_that_only_ends_like_a_secret_is_one(name: str) -> None:
    assert without_secrets("sesame refused", {name: "sesame"}) == "*** refused"
    assert without_secrets("sesame refused", {f"X{name}S": "sesame"}) == "sesame refused"


def test_each_line_of_a_secret_is_replaced() -> None:
    environ = {"SIGNING_KEY": "-----BEGIN-----\r\nsesame\r\nopen\n"}
    assert without_secrets("line 2 was sesame, then open", environ) == "line 2 was ***, then ***"
    assert without_secrets("line 2 was sesame", {"SIGNING_NOTES": "open\nsesame"}) == "line 2 was sesame"


def test_passwords_in_urls_are_replaced() -> None:
    environ = {"HTTPS_PROXY": "http://engineer:open%20sesame@proxy.example:3128", "A_URL": "https://proxy.example/a:b@c"}
    said = "login open sesame at https://proxy.example/a:b@c by http://engineer:open%20sesame@proxy.example:3128"
    assert without_secrets(said, environ) == "login *** at https://proxy.example/a:b@c by http://***@proxy.example:3128"
    assert without_secrets("redis://:p@ss@host/0 refused", {}) == "redis://***@host/0 refused"


def test_noise_on_standard_error_does_no_harm(rig: Rig) -> None:
    with ExecutableBackend().open(rig.reference(), rig.context(LOCAL_KEYS_FAULT="noise")) as signer:
        assert describe_key(signer.public_key) == "ecdsa-p256"


def test_a_missing_key_is_told_of(rig: Rig) -> None:
    assert "No such file" in failure(rig, f"localkeys://{rig.folder}/nowhere.pem").message


def impatient(rig: Rig, seconds: float, **environ: str) -> Executable:
    found = find(parse_executable_reference(rig.reference()), rig.environ(**environ))
    return Executable(found.path, found.environ, found.caller, seconds)


def test_a_program_that_hangs_is_ended(rig: Rig) -> None:
    with pytest.raises(CustodyError, match=r"did not answer within 0\.2 seconds, and was ended"):
        impatient(rig, 0.2, LOCAL_KEYS_FAULT="hang").ask(Call("publicKey", "key"), bytes)


def test_a_program_that_hangs_is_ended_with_what_it_started(rig: Rig) -> None:
    child = rig.folder / "child"
    # A shell has started its child before an interpreter has started itself.
    (rig.bin / "sigstore-kms-localkeys").write_text(f"#!/bin/sh\n{shutil.which('sleep')} 600 &\necho $! >{child}\nwait\n")
    for seconds in (0.1, 1.0, 10.0, 60.0):  # the last for a machine on which even that takes its time
        with pytest.raises(CustodyError, match=f"did not answer within {seconds:g} seconds, and was ended"):
            impatient(rig, seconds).ask(Call("publicKey", "key"), bytes)
        if child.exists() and child.read_text():
            break
    assert ends(int(child.read_text()))


def test_a_child_that_outlives_the_program_does_not_hold_up_the_answer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hatch_sign_kms.executables.running._GRACE", 0.2)
    child = rig.folder / "child"
    context = rig.context(LOCAL_KEYS_FAULT="orphan", LOCAL_KEYS_CHILD=str(child))
    with ExecutableBackend().open(rig.reference(), context) as signer:
        assert describe_key(signer.public_key) == "ecdsa-p256"
    assert ends(int(child.read_text()))


def test_an_agent_that_left_the_group_does_not_hold_up_the_answer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives on, and so do the pipes that it has: what came before the program ended is the answer."""
    monkeypatch.setattr("hatch_sign_kms.executables.running._GRACE", 0.2)
    child = rig.folder / "child"
    executable = impatient(rig, 60.0, LOCAL_KEYS_FAULT="agent", LOCAL_KEYS_CHILD=str(child))
    try:
        answer = executable.ask(Call("publicKey", rig.reference().partition("://")[2]), answers.parse_public_key_answer)
        assert answer.startswith(b"-----BEGIN PUBLIC KEY")
        assert not has_ended(int(child.read_text())), "the answer came while it was there"
    finally:
        os.kill(int(child.read_text()), signal.SIGKILL)


def test_a_program_that_hangs_is_ended_when_the_run_is_given_up(rig: Rig) -> None:
    child = rig.folder / "child"
    context = rig.context(LOCAL_KEYS_FAULT="child", LOCAL_KEYS_CHILD=str(child))

    def give_up() -> None:
        while not (child.exists() and child.read_text()) and not failed.is_set():
            time.sleep(0.01)
        context.stop()

    failed = threading.Event()
    giving_up = threading.Thread(target=give_up)
    giving_up.start()
    with (
        pytest.raises(CustodyError, match="had not answered when the run was given up, and was ended"),
        ExecutableBackend().open(rig.reference(), context),
    ):
        pass
    failed.set()
    giving_up.join()
    assert ends(int(child.read_text()))


def ends(process: int) -> bool:
    """Wait until the process is gone; who inherits it may take its time to bury it."""
    for _ in range(200):
        if has_ended(process):
            return True
        time.sleep(0.05)
    return False


def has_ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


# --- keys -------------------------------------------------------------------------------------------------------------


def test_pss_is_never_asked_for(rig: Rig) -> None:
    with ExecutableBackend().open(rig.reference(KeyAlgorithm.RSA_3072), rig.context()) as signer:
        assert {scheme.family for scheme in signer.schemes} == {"rsa-pkcs1"}


def test_it_claims_no_protection_that_nobody_vouches_for(rig: Rig) -> None:
    with ExecutableBackend().open(rig.reference(), rig.context()) as signer:
        protection = signer.protection
    assert protection.level.value == "software"
    assert protection.summary.endswith("; the service does not say whether it may leave")
    assert protection.claims == {"executable": str(rig.bin / "sigstore-kms-localkeys")}


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_every_kind_of_key_is_made_by_the_name_that_the_executable_has_for_it(rig: Rig, algorithm: KeyAlgorithm) -> None:
    made = ExecutableBackend().generate_key(f"localkeys://{rig.folder}/made", algorithm, rig.context())
    assert describe_key(made.public_key) == algorithm.value
    assert made.reference == f"localkeys://{rig.folder}/made"


def test_a_kind_that_it_does_not_offer_is_refused(rig: Rig) -> None:
    program = rig.bin / "sigstore-kms-localkeys"
    program.write_text(program.read_text().replace('*RSA_SIZES, "ed25519"]', '*RSA_SIZES, "ed448"]'))
    with pytest.raises(UnsupportedError, match="makes no ed25519 key; it offers ECDSA_P256_SHA256, ecdsa-p384"):
        ExecutableBackend().generate_key(f"localkeys://{rig.folder}/made", KeyAlgorithm.ED25519, rig.context())
    assert not (rig.folder / "made").exists()


def test_another_key_than_the_one_asked_for_is_refused(rig: Rig) -> None:
    program = rig.bin / "sigstore-kms-localkeys"
    program.write_text(program.read_text().replace('"rsa-4096": 4096', '"rsa-4096": 3072'))
    with pytest.raises(CustodyError, match="made another key than the one that was asked for"):
        ExecutableBackend().generate_key(f"localkeys://{rig.folder}/made", KeyAlgorithm.RSA_4096, rig.context())


def tampered_signatures() -> dict[str, Callable[[str], str]]:
    return {
        "ignores the digest": lambda source: source.replace("digest = digest or ", "digest = "),
        "another key": lambda source: source.replace(
            "key.sign(digest, *arguments)", "ec.generate_private_key(ec.SECP256R1()).sign(digest, *arguments)"
        ),
    }


@pytest.mark.parametrize("fault", tampered_signatures())
def test_a_signature_over_something_else_is_caught(rig: Rig, fault: str) -> None:
    program = rig.bin / "sigstore-kms-localkeys"
    program.write_text(tampered_signatures()[fault](program.read_text()))
    with open_signer(ExecutableBackend(), rig.reference(), rig.context()) as signer, pytest.raises(WrongSignatureError):
        signer.sign(b"a wheel", signer.schemes[0])
