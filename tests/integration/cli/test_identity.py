"""``verify`` for whom a Sigstore identity is what counts: on the command line, in a configuration, in an exported file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign_sigstore.pep740.attestation import PUBLISH, encode_attestation
from tests.unit.sigstore_identity.crafted_sigstore import IDENTITY, ISSUER, CraftedSigstore, github_claims, statement

from .cli_project import Project, make_wheel

CONFIGURATION = f"""\
[verify]
require = ["FORMAT"]
[[verify.trust]]
identity-pattern = "{IDENTITY.rpartition("@")[0]}@refs/tags/*"
issuer = "{ISSUER}"
trusted-root = "root.json"
"""
PROGRAM = """\
import sys
from hatch_sign.cli import main
code = main(sys.argv[1:])
print(*sorted({"sigstore", "pydantic", "pypi_attestations", "tuf"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
ADHOC = ("--cert-identity", IDENTITY, "--cert-oidc-issuer", ISSUER)


@pytest.fixture(scope="module")
def instance() -> CraftedSigstore:
    return CraftedSigstore()


@pytest.fixture
def nowhere(tmp_path: Path) -> Project:
    """Return a folder without a key: whoever verifies identities has none."""
    (tmp_path / "dist").mkdir()
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HATCH_SIGN_HOME"), str(tmp_path / "home"))
    return Project(tmp_path, {**os.environ, **homes})


@pytest.fixture
def wheel(nowhere: Project, instance: CraftedSigstore) -> Path:
    """Return a wheel with a bundle beside it; the trusted root lies beside the configuration."""
    made = make_wheel(nowhere)
    bundle = instance.message_bundle(made.read_bytes())
    made.with_name(f"{made.name}.sigstore.json").write_text(json.dumps(bundle))
    (nowhere.folder / "root.json").write_text(json.dumps(instance.trusted_root))
    return made


def configure(project: Project, format_: str = "sigstore") -> None:
    (project.folder / "hatch-sign.toml").write_text(CONFIGURATION.replace("FORMAT", format_))


def test_an_identity_on_the_command_line_is_trusted(nowhere: Project, wheel: Path) -> None:
    ran = nowhere.succeed("verify", *ADHOC, "--trusted-root", "root.json", str(wheel))
    assert "trusted" in ran.out
    assert f"{IDENTITY} ({ISSUER})" in ran.out
    assert f"trust from --cert-identity {IDENTITY}" in ran.err


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (("--cert-identity", IDENTITY + "x", "--cert-oidc-issuer", ISSUER, "--trusted-root", "root.json"), "wrong-identity"),
        (("--cert-identity", IDENTITY, "--cert-oidc-issuer", ISSUER + "x", "--trusted-root", "root.json"), "wrong-identity"),
        ((*ADHOC, "--trusted-root", "staging"), "untrusted"),
        (ADHOC, "untrusted"),
    ],
)
def test_another_identity_or_instance_is_refused(
    nowhere: Project, wheel: Path, arguments: tuple[str, ...], verdict: str
) -> None:
    ran = nowhere.run("verify", *arguments, "--json", str(wheel))
    assert ran.code == 1
    (artifact,) = json.loads(ran.out)["artifacts"]
    assert [each["verdict"] for each in artifact["signatures"]] == [verdict]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--cert-identity", IDENTITY), "--cert-identity is given without --cert-oidc-issuer"),
        (("--cert-oidc-issuer", ISSUER), "--cert-oidc-issuer is given without --cert-identity"),
        (("--trusted-root", "root.json"), "--trusted-root is given without --cert-identity"),
        ((*ADHOC, "--trusted-root", "absent.json"), "absent.json cannot be read"),
        ((*ADHOC, "--trusted-root", "hatch-sign.toml"), "hatch-sign.toml is not JSON"),
    ],
)
def test_half_an_identity_is_misuse(nowhere: Project, wheel: Path, arguments: tuple[str, ...], reason: str) -> None:
    configure(nowhere)
    assert reason in nowhere.fail(2, "verify", *arguments, str(wheel))


def test_a_configured_pattern_is_trusted_until_the_wheel_is_changed(nowhere: Project, wheel: Path) -> None:
    configure(nowhere)
    document = json.loads(nowhere.succeed("verify", "dist", "--json").out)
    (signature,) = document["artifacts"][0]["signatures"]
    assert (signature["verdict"], signature["time"]) == ("trusted", "2026-06-01T12:00:00+00:00")
    wheel.write_bytes(wheel.read_bytes() + b"!")
    assert "hash-mismatch" in nowhere.run("verify", "dist").out


def test_an_exported_file_is_all_that_a_consumer_needs(nowhere: Project, wheel: Path) -> None:
    configure(nowhere)
    nowhere.succeed("trust", "export", "-o", "consumer.toml")
    (nowhere.folder / "root.json").unlink()
    assert "trusted" in nowhere.succeed("verify", "--config", "consumer.toml", str(wheel)).out
    wheel.write_bytes(wheel.read_bytes() + b"!")
    assert nowhere.run("verify", "--config", "consumer.toml", str(wheel)).code == 1


def test_a_rule_that_ended_before_the_signature_does_not_trust_it(nowhere: Project, wheel: Path) -> None:
    for ends, code in (("2026-05-31", 1), ("2026-06-01", 0)):
        configure(nowhere)
        with (nowhere.folder / "hatch-sign.toml").open("a") as stream:
            stream.write(f"not-after = {ends}\n")
        ran = nowhere.run("verify", str(wheel))
        assert (ran.code, "expired" in ran.out) == (code, bool(code))


@pytest.mark.parametrize(("caller", "warned"), [(IDENTITY, False), (IDENTITY.replace("release.yml", "ci.yml"), True)])
def test_an_attestation_is_verified_and_a_reusable_workflow_told_of(
    nowhere: Project, wheel: Path, instance: CraftedSigstore, caller: str, *, warned: bool
) -> None:
    leaf = instance.certify(claims=github_claims(config=caller))
    bundle = instance.statement_bundle(statement(wheel.name, wheel.read_bytes(), PUBLISH), leaf)
    attestation = encode_attestation(parse_bundle(json.dumps(bundle).encode()))
    sidecar = wheel.with_name(f"{wheel.name}.publish.attestation")
    sidecar.write_bytes(attestation)
    configure(nowhere, "pep740")
    ran = nowhere.succeed("verify", "dist")
    assert ("reusable workflow" in ran.output) is warned
    other = wheel.with_name("demo-2.0-py3-none-any.whl")
    sidecar.rename(other.with_name(f"{other.name}.publish.attestation"))
    wheel.rename(other)
    assert "it speaks of an artifact of another name" in nowhere.run("verify", "dist").out


def test_verifying_without_identities_imports_nothing_of_sigstore(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", str(artifact))
    ran = project.run("verify", str(artifact), program=("-c", PROGRAM))
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "")


def test_verifying_an_identity_imports_sigstore(nowhere: Project, wheel: Path) -> None:
    """The other test can fail."""
    ran = nowhere.run("verify", *ADHOC, "--trusted-root", "root.json", str(wheel), program=("-c", PROGRAM))
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "pydantic sigstore tuf")
