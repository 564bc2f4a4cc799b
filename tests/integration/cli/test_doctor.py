"""`hatch-sign doctor`: what keeps a key from signing, found without spending a try of its PIN."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .at_terminal import at_terminal
from .cli_project import CONFIGURATION, PIN, Project
from .schemas import validate

KEY = "emulated:test/release"
WRONG = "wr0ng-pin-here"


def examine(project: Project, code: int, *arguments: str, **environ: str) -> dict[str, list[tuple[str, str]]]:
    """Run `doctor --json`; return the status and subject of each check, by what was examined."""
    document = run(project, code, *arguments, **environ)
    return {each["about"]: [(row["status"], row["subject"]) for row in each["checks"]] for each in document["examined"]}


def run(project: Project, code: int, *arguments: str, **environ: str) -> Any:  # noqa: ANN401 - the test knows the schema
    ran = project.run("doctor", *arguments, "--json", **environ)
    assert ran.code == code, ran.output
    document = json.loads(ran.out)
    validate(document, "diagnosis")
    assert document["exit-code"] == code
    return document


def failures(project: Project, code: int, *arguments: str, **environ: str) -> list[str]:
    document = run(project, code, *arguments, **environ)
    rows = [row for each in document["examined"] for row in each["checks"] if row["status"] == "failure"]
    return [f"{row['subject']}: {row['found']}; {row['remedy']}" for row in rows]


def tries(project: Project) -> int:
    left: int = json.loads(project.succeed("token", "info", "test", "--json").out)["tokens"][0]["pin-tries"]
    return left


def configure(project: Project, text: str) -> None:
    (project.folder / "hatch-sign.toml").write_text(text)


def test_a_project_that_is_well(project: Project) -> None:
    found = examine(project, 0)
    assert list(found) == ["configuration", KEY]
    assert {status for rows in found.values() for status, _ in rows} == {"ok"}
    subjects = [subject for _, subject in found[KEY]]
    assert subjects[:6] == ["reference", "plugin", "token", "key", "PIN", "PIN of emulated token test"]
    assert {"format sigstore", "trust in sigstore", "certificate", "login"} <= set(subjects)


def test_the_key_of_what_is_inside_wheels_is_examined_too(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/inside")
    configure(project, CONFIGURATION.replace("[verify]", '[contents]\nkey = "emulated:test/inside"\n[verify]'))
    found = examine(project, 2)
    assert list(found) == ["configuration", KEY, "emulated:test/inside"]
    assert ("failure", "format authenticode") in found["emulated:test/inside"]


def test_lines_say_what_and_how_where_there_is_no_terminal(project: Project) -> None:
    ran = project.succeed("doctor")
    lines = ran.out.splitlines()
    assert lines[:2] == ["configuration", f"ok  file  {project.folder / 'hatch-sign.toml'}"]
    assert "ok  PIN of emulated token test  in the environment variable HATCH_SIGN_PIN" in lines
    assert ran.err == "hatch-sign: failures: 0, warnings: 0\n"
    missing = project.run("doctor", "emulated:test/none")
    assert missing.code == 3
    assert missing.out.splitlines()[-1].startswith("failure  key  emulated:test/none: no such key")
    assert "make it: hatch-sign key generate" in missing.out
    assert missing.err == "hatch-sign: failures: 1, warnings: 0\n"


def test_no_try_is_spent_unless_it_is_asked_for(project: Project) -> None:
    assert failures(project, 0, HATCH_SIGN_PIN=WRONG) == []
    assert failures(project, 0, KEY, HATCH_SIGN_PIN=WRONG) == []
    assert tries(project) == 3
    (refused,) = failures(project, 3, "--log-in", HATCH_SIGN_PIN=WRONG)
    assert refused.startswith("login: emulated:test: the PIN is wrong; 2 tries are left")
    assert tries(project) == 2
    assert failures(project, 0, "--log-in") == []
    assert tries(project) == 3


def test_a_wrong_pin_is_tried_once_for_two_keys(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/other")
    signatures = [f'[[signature]]\nname = "{name}"\nkey = "emulated:test/{name}"\n' for name in ("release", "other")]
    configure(project, "".join(signatures))
    first, second = failures(project, 3, "--log-in", HATCH_SIGN_PIN=WRONG)
    assert "2 tries are left" in first
    assert "it was refused earlier in this run, and is not tried again" in second
    assert tries(project) == 2


def test_the_final_try_is_kept_unless_it_is_given(project: Project) -> None:
    for _ in range(2):
        project.run("doctor", KEY, "--log-in", HATCH_SIGN_PIN=WRONG)
    assert ("warning", "PIN") in examine(project, 0, KEY)[KEY]
    (kept,) = failures(project, 3, KEY, "--log-in")
    assert "--spend-final-try" in kept
    assert tries(project) == 1
    assert failures(project, 0, KEY, "--log-in", "--spend-final-try") == []
    assert tries(project) == 3


def test_a_test_signature_is_made_and_leaves_nothing(project: Project) -> None:
    before = sorted(path for path in project.folder.rglob("*") if path.is_file())
    found = examine(project, 0, "--test-signature")
    assert found[KEY][-2:] == [("ok", "signature"), ("warning", "backend")]
    assert ("ok", "schemes") in found[KEY]
    assert ("ok", "signature") not in examine(project, 0, "--log-in")[KEY]
    after = {path for path in project.folder.rglob("*") if path.is_file()}
    assert {path.name for path in after - set(before)} <= {".login.lock"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("env:NO_SUCH_VARIABLE", "pin-source env:NO_SUCH_VARIABLE is not set"),
        ("file:missing", "pin-source file:missing cannot be read"),
        (PIN.replace(" ", "%20"), "none of env:NAME, file:PATH and keyring:SERVICE/USER"),
    ],
)
def test_a_pin_that_cannot_be_had_is_told_with_what_to_set(project: Project, source: str, reason: str) -> None:
    (failed,) = failures(project, 3 if ":" in source else 2, f"{KEY}?pin-source={source}", "--log-in")
    assert failed.startswith("PIN of emulated token test: ")
    assert reason in failed
    assert tries(project) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="shells of POSIX")
def test_a_pin_from_a_pipe_is_still_there_for_the_login(project: Project) -> None:
    command = f"printf %s '{PIN}' | '{sys.executable}' -m hatch_sign doctor '{KEY}?pin-source=file:/dev/stdin' --log-in"
    done = subprocess.run(
        ["sh", "-c", command], cwd=project.folder, env=dict(project.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "the key is open" in done.stdout
    assert PIN not in done.stdout + done.stderr


def test_without_any_source_it_says_what_to_set(project: Project) -> None:
    bare = Project(project.folder, {name: value for name, value in project.environ.items() if name != "HATCH_SIGN_PIN"})
    (failed,) = failures(bare, 3, KEY)
    assert "there is no terminal to ask on; set HATCH_SIGN_PIN" in failed


def test_what_the_configuration_gets_wrong_is_told_and_the_keys_are_looked_at_all_the_same(project: Project) -> None:
    configure(project, CONFIGURATION.replace("release.pub", "missing.pub") + 'formats = ["statement"]\n')
    found = examine(project, 2)
    assert ("failure", "mistake") in found["configuration"]
    assert ("failure", "required") in found["configuration"]
    assert ("ok", "key") in found[KEY]


def test_a_configuration_that_does_not_load_is_all_there_is_to_say_unless_a_key_is_named(project: Project) -> None:
    configure(project, 'kee = "x"\nformats = "sigstore"\n')
    assert examine(project, 2) == {"configuration": [("failure", "file")] * 2}
    named = examine(project, 2, KEY)
    assert list(named) == ["configuration", KEY]
    assert ("ok", "key") in named[KEY]
    assert "cannot be read" in failures(project, 2, "--config", "missing.toml")[0]


def test_where_there_is_no_configuration_it_says_how_to_name_a_key(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    nowhere = Project(tmp_path / "empty", project.environ)
    (failed,) = failures(nowhere, 2)
    assert "holds no configuration; name one with --config, or name a key" in failed
    assert failures(nowhere, 0, KEY) == []


def test_another_key_than_the_trusted_one_is_warned_of(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/other")
    configure(project, CONFIGURATION.replace("test/release", "test/other"))
    assert ("warning", "trust in sigstore") in examine(project, 0)["emulated:test/other"]


def test_a_chain_for_another_key_is_a_failure(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/other")
    chain = project.folder / "chain.pem"
    chain.write_text(certificate(project))
    configure(project, 'certificates = "chain.pem"\n' + CONFIGURATION)
    assert examine(project, 0)[KEY][-4:-2] == [("ok", "certificate"), ("ok", "format sigstore")]
    configure(project, 'certificates = "chain.pem"\n' + CONFIGURATION.replace("test/release", "test/other"))
    (failed,) = failures(project, 2)
    assert failed.startswith(f"certificate: {chain}: the first certificate is for another key than emulated:test/other")


def certificate(project: Project) -> str:
    """Return a certificate of the project's key that its maker's clock calls valid for a year."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - for one test

    from cryptography import x509  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key  # noqa: PLC0415 - as above

    key = load_pem_public_key((project.folder / "release.pub").read_bytes())
    name, now = x509.Name.from_rfc4514_string("CN=Signer"), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key, 1, now - timedelta(days=1), now + timedelta(days=365))
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_pin_in_a_reference_is_neither_shown_nor_used(project: Project) -> None:
    for reference in (f"{KEY}?pin-value={PIN}", f"emulated://me:{PIN}@host"):
        ran = project.run("doctor", reference, "--log-in")
        assert ran.code == 2
        assert ran.out.startswith("key\nfailure  reference  ")


def test_a_token_that_is_damaged_or_locked_is_a_failure(project: Project) -> None:
    token = project.folder / "home" / "tokens" / "test.token"
    whole = project.folder / "whole"
    shutil.copy(token, whole)
    token.write_bytes(whole.read_bytes()[:5000])
    (damaged,) = failures(project, 3)
    assert "it is damaged, or no token" in damaged
    token.write_bytes(whole.read_bytes())
    for _ in range(3):
        project.run("doctor", KEY, "--log-in", "--spend-final-try", HATCH_SIGN_PIN=WRONG)
    (locked,) = failures(project, 3)
    assert "the PIN is locked" in locked
    assert "hatch-sign token unlock test" in locked


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no pseudo-terminals")
def test_at_a_terminal_it_is_a_table_and_a_pin_would_be_asked_for(project: Project) -> None:
    code, screen = at_terminal(project, "doctor", without="HATCH_SIGN_PIN")
    assert code == 0, screen
    assert "│" in screen
    assert "it will be asked for" in screen
    code, screen = at_terminal(project, "doctor", KEY, "--log-in", typed=PIN, without="HATCH_SIGN_PIN")
    assert code == 0, screen
    assert PIN not in screen
    assert "the key is open" in screen
