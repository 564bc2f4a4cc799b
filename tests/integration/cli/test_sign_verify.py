"""Sign and verify through the command line, and what becomes of everything that is not as it should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .cli_project import CONFIGURATION, SO_PIN, Project, make_project, make_wheel
from .schemas import validate


def test_what_is_signed_verifies_and_what_is_changed_does_not(project: Project) -> None:
    wheel = make_wheel(project)
    project.add("demo-data.bin", b"data")
    signed = project.succeed("sign", "dist")
    assert "consistent" in signed.out
    assert "trusted" not in signed.out
    assert "software" in signed.err
    verified = project.succeed("verify", "dist")
    assert verified.out.count("trusted") == 2
    assert "name not covered" in verified.out
    assert "hatch-sign.toml" in verified.err
    data = bytearray(wheel.read_bytes())
    data[-1] ^= 1
    wheel.write_bytes(data)
    assert "demo-1.0-py3-none-any.whl is rejected" in project.fail(1, "verify", "dist")
    assert "hash-mismatch" in project.run("verify", "dist").out


def test_a_changed_signature_is_refused(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", str(artifact))
    sidecar = project.dist / "a.bin.sigstore.json"
    bundle = json.loads(sidecar.read_text())
    other = project.add("b.bin", b"data")
    project.succeed("sign", str(other))
    bundle["messageSignature"]["signature"] = bundle["messageSignature"]["signature"].replace("M", "N", 2)
    sidecar.write_text(json.dumps(bundle))
    ran = project.run("verify", str(artifact))
    assert ran.code == 1
    assert "untrusted" in ran.out or "malformed" in ran.out
    assert project.run("verify", str(other)).code == 0


def test_a_signature_by_a_key_that_nobody_trusts_is_untrusted(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("key", "generate", "emulated:test/other")
    said = project.fail(1, "sign", str(artifact), "--key", "emulated:test/other")
    assert "a.bin was signed, and the project's own policy rejects it: sigstore is untrusted" in said
    assert said.endswith("what was signed is where it was")
    assert project.names() == ["a.bin", "a.bin.sigstore.json"]
    ran = project.run("verify", str(artifact))
    assert (ran.code, "untrusted" in ran.out) == (1, True)


def test_an_unsigned_artifact_is_rejected(project: Project) -> None:
    project.add("a.bin", b"data")
    ran = project.run("verify", "dist")
    assert (ran.code, "unsigned" in ran.out) == (1, True)


def test_a_renamed_wheel_is_refused_though_its_bytes_are_signed(project: Project) -> None:
    wheel = make_wheel(project)
    project.succeed("sign", str(wheel))
    for path in (wheel, wheel.with_name(wheel.name + ".sigstore.json")):
        path.rename(path.with_name(path.name.replace("1.0", "2.0")))
    ran = project.run("verify", "dist")
    assert ran.code == 1
    assert "malformed" in ran.out
    assert "1.0" in ran.out


def test_a_damaged_sidecar_rejects_the_artifact_even_beside_a_good_one(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", str(artifact))
    (project.dist / "a.bin.team.sigstore.json").write_text("{")
    ran = project.run("verify", str(artifact))
    assert (ran.code, "malformed" in ran.out, "trusted" in ran.out) == (1, True, True)


def test_verifying_with_nothing_to_trust_says_what_to_configure(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.folder / "hatch-sign.toml").write_text('key = "emulated:test/release"\n')
    assert "trust" in project.fail(2, "verify", "dist")


def test_a_key_given_on_the_command_line_takes_the_place_of_the_configured_trust(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", str(artifact))
    project.succeed("key", "generate", "emulated:test/other")
    project.succeed("key", "export-public", "emulated:test/other", "-o", "other.pub")
    project.succeed("verify", str(artifact), "--key", "release.pub")
    assert project.run("verify", str(artifact), "--key", "other.pub").code == 1


def test_configuration_is_never_taken_from_the_folder_of_the_artifact(project: Project, tmp_path: Path) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", str(artifact))
    shutil.copy(project.folder / "hatch-sign.toml", project.dist)
    shutil.copy(project.folder / "release.pub", project.dist)
    elsewhere = Project(tmp_path, project.environ)
    assert "trust" in elsewhere.fail(2, "verify", str(artifact))


def test_nothing_in_the_environment_changes_what_is_trusted(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("key", "generate", "emulated:test/other")
    project.succeed("key", "export-public", "emulated:test/other", "-o", "other.pub")
    project.fail(1, "sign", str(artifact), "--key", "emulated:test/other")
    settings = {"HATCH_SIGN_PUBLIC_KEY": "other.pub", "HATCH_SIGN_VERIFY_TRUST": "other.pub", "HATCH_SIGN_REQUIRE": "none"}
    assert project.run("verify", "dist", **settings).code == 1


def test_signing_again_changes_nothing(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    before = (project.dist / "a.bin.sigstore.json").read_bytes()
    assert "already signed" in project.succeed("sign", "dist").out
    assert (project.dist / "a.bin.sigstore.json").read_bytes() == before


def test_an_existing_signature_of_other_bytes_is_kept_unless_overwriting_is_asked_for(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    before = (project.dist / "a.bin.sigstore.json").read_bytes()
    artifact.write_bytes(b"other")
    assert "there already" in project.fail(2, "sign", "dist")
    assert (project.dist / "a.bin.sigstore.json").read_bytes() == before
    project.succeed("sign", "dist", "--overwrite")
    project.succeed("verify", "dist")


def test_a_statement_and_checksums_cover_the_whole_release(project: Project) -> None:
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"not really one")
    project.succeed("sign", "dist", "--format", "statement", "--format", "checksums", "--format", "sigstore")
    assert set(project.names()) >= {"SHA256SUMS", "SHA256SUMS.sigstore.json", "demo-1.0.intoto.sigstore.json"}
    require = ("--require", "statement", "--require", "checksums")
    verified = project.run("verify", str(project.dist / "demo-1.0-py3-none-any.whl"), *require)
    assert (verified.code, verified.out.count("trusted")) == (0, 3)
    (project.dist / "demo-1.0.tar.gz").write_bytes(b"something else")
    refused = project.run("verify", str(project.dist / "demo-1.0.tar.gz"), *require)
    assert (refused.code, refused.out.count("hash-mismatch")) == (1, 3)


def test_a_changed_checksum_list_is_refused_by_its_signature(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist", "--format", "checksums", "--format", "sigstore")
    project.succeed("verify", "dist", "--require", "checksums")
    artifact.write_bytes(b"evil")
    import hashlib  # noqa: PLC0415 - here only

    listing = project.dist / "SHA256SUMS"
    listing.write_text(listing.read_text().replace(hashlib.sha256(b"data").hexdigest(), hashlib.sha256(b"evil").hexdigest()))
    ran = project.run("verify", str(artifact), "--require", "checksums")
    assert (ran.code, "hash-mismatch" in ran.out) == (1, True)


def test_two_named_signatures_by_two_keys(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/second", "--algorithm", "rsa-3072")
    project.succeed("key", "export-public", "emulated:test/second", "-o", "second.pub")
    (project.folder / "hatch-sign.toml").write_text(
        '[[signature]]\nname = "first"\nkey = "emulated:test/release"\nformats = ["sigstore"]\n'
        '[[signature]]\nname = "second"\nkey = "emulated:test/second"\nformats = ["sigstore"]\n'
        '[verify]\nrequire = ["first", "second"]\n'
        '[[verify.trust]]\npublic-key = "release.pub"\n[[verify.trust]]\npublic-key = "second.pub"\n'
    )
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    assert project.names() == ["a.bin", "a.bin.first.sigstore.json", "a.bin.second.sigstore.json"]
    project.succeed("verify", "dist")
    (project.dist / "a.bin.second.sigstore.json").unlink()
    ran = project.run("verify", "dist")
    assert (ran.code, "unsigned" in ran.out) == (1, True)


@pytest.mark.parametrize("algorithm", ["ecdsa-p384", "ecdsa-p521", "rsa-3072", "rsa-4096", "ed25519"])
def test_every_kind_of_key_signs_and_verifies(tmp_path: Path, algorithm: str) -> None:
    project = make_project(tmp_path, algorithm=algorithm)
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    project.succeed("verify", "dist")
    artifact.write_bytes(b"Data")
    assert "hash-mismatch" in project.run("verify", "dist").out


def test_a_dry_run_says_what_would_be_done_and_does_nothing(project: Project) -> None:
    project.add("a.bin", b"data")
    ran = project.succeed("sign", "dist", "--dry-run", HATCH_SIGN_PIN="wrong wrong")
    assert "would sign a.bin with emulated:test/release as sigstore into" in ran.out
    assert project.names() == ["a.bin"]
    validate(json.loads(project.succeed("sign", "dist", "--dry-run", "--json").out), "plan")


def test_json_documents_keep_their_published_schemas(project: Project) -> None:
    make_wheel(project)
    signed = json.loads(project.succeed("sign", "dist", "--json").out)
    validate(signed, "signing")
    assert signed["release"] == {"name": "demo", "version": "1.0"}
    verified = json.loads(project.succeed("verify", "dist", "--json").out)
    validate(verified, "verification")
    assert verified["passed"] is True
    (project.dist / "evil\x1b[2J.bin").write_bytes(b"x")
    refused = project.run("verify", "dist", "--json")
    validate(json.loads(refused.out), "verification")
    assert json.loads(refused.out)["passed"] is False
    validate(json.loads(project.succeed("plugins", "--json").out), "plugins")
    validate(json.loads(project.succeed("config", "check", "--json").out), "configuration")
    validate(json.loads(project.succeed("token", "list", "--json").out), "tokens")
    validate(json.loads(project.succeed("token", "info", "test", "--json").out), "tokens")
    validate(json.loads(project.succeed("key", "list", "emulated:test", "--json").out), "keys")


def test_a_failure_is_a_document_too(project: Project) -> None:
    project.add("a.bin", b"data")
    for arguments, code in (
        (("sign", "dist", "--key", "emulated:test/none"), 3),
        (("sign", "dist", "--key", "nothing"), 2),
        (("verify", "dist", "--require", "sigstor"), 2),
        (("config", "check", "--config", "missing.toml"), 2),
    ):
        ran = project.run(*arguments, "--json")
        document = json.loads(ran.out)
        validate(document, "error")
        assert (ran.code, document["exit-code"]) == (code, code)
        assert f"hatch-sign: error: {document['error']}" in ran.err


def test_names_with_control_characters_never_reach_a_terminal(project: Project) -> None:
    project.add("evil\x1b[2J\u202e.bin", b"data")
    project.succeed("sign", "dist")
    ran = project.succeed("verify", "dist")
    assert "\x1b" not in ran.output
    assert "\u202e" not in ran.output
    assert r"evil\x1b[2J\u202e.bin" in ran.out


ODD_NAMES = ["with space.bin", "-leading-dash.bin", "ünï😀.bin", "new\nline.bin", "quote'\".bin", "%41.bin"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_signed_and_verified(project: Project, name: str) -> None:
    project.add(name, b"data")
    project.succeed("sign", "dist")
    project.succeed("verify", "dist")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("sign", "missing"), 2, "missing does not exist"),
        (("sign", "dist"), 2, "no artifact found"),
        (("verify", "dist"), 2, "no artifact found"),
        (("sign", "hatch-sign.toml", "--key", "nothing"), 2, "SCHEME:PATH"),
        (("sign", "hatch-sign.toml", "--key", "emulated:none/x"), 3, "none"),
        (("sign", "hatch-sign.toml", "--key", "emulated:test/none"), 3, "release"),
        (("sign", "hatch-sign.toml", "--format", "sigstor"), 2, "sigstor"),
        (("sign", "hatch-sign.toml", "--format", "statement"), 2, "one release"),
    ],
)
def test_bad_input_is_one_clear_line(project: Project, arguments: tuple[str, ...], code: int, reason: str) -> None:
    before = project.names()
    assert reason in project.fail(code, *arguments)
    assert project.names() == before


def test_an_empty_artifact_is_refused(project: Project) -> None:
    project.add("a.bin", b"")
    assert "a.bin: empty" in project.fail(2, "sign", "dist")


def test_a_wrong_pin_is_tried_once_however_many_artifacts_wait(project: Project) -> None:
    for number in range(20):
        project.add(f"{number}.bin", b"data")
    assert "2" in project.fail(3, "sign", "dist", HATCH_SIGN_PIN="not the PIN")
    assert "sigstore.json" not in " ".join(project.names())
    project.succeed("sign", "dist")


def test_a_locked_token_says_so_and_can_be_unlocked(project: Project) -> None:
    project.add("a.bin", b"data")
    for _ in range(2):
        project.fail(3, "sign", "dist", HATCH_SIGN_PIN="not the PIN")
    assert "--spend-final-try" in project.fail(3, "sign", "dist", HATCH_SIGN_PIN="not the PIN")
    project.fail(3, "sign", "dist", "--spend-final-try", HATCH_SIGN_PIN="not the PIN")
    assert "locked" in project.fail(3, "sign", "dist")
    project.succeed("token", "unlock", "test")
    project.succeed("sign", "dist")


def test_a_damaged_token_is_one_clear_error(project: Project) -> None:
    project.add("a.bin", b"data")
    token = next(path for path in (project.folder / "home" / "tokens").iterdir() if path.stat().st_size > 2000)
    token.write_bytes(token.read_bytes()[:1000])
    assert token.name in project.fail(3, "sign", "dist")


def test_every_signature_leaves_an_audit_line_without_a_secret(project: Project) -> None:
    make_wheel(project)
    project.add("demo-1.0.tar.gz", b"x")
    project.succeed("sign", "dist", "--format", "sigstore", "--format", "statement")
    text = (project.folder / "home" / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["format"] for line in lines].count("sigstore") == 2
    assert [line["format"] for line in lines].count("statement") == 1
    for line in lines:
        assert line["key"] == "emulated:test/release"
        assert line["protection"] == "software"
        assert line["verdict"] == "consistent"
        assert line["credential"].startswith("sha256:")
        assert line["digest"].startswith("sha256:")
        assert line["user"]
        assert line["host"]
    assert SO_PIN not in text


def test_no_signature_without_its_audit_line(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.folder / "home" / "audit.jsonl").mkdir()
    assert "audit" in project.fail(3, "sign", "dist")
    assert project.names() == ["a.bin"]


def test_a_policy_can_refuse_keys_in_software(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.folder / "hatch-sign.toml").write_text('minimum-protection = "self-asserted"\n' + CONFIGURATION)
    assert "protection is software" in project.fail(1, "sign", "dist")
    assert project.names() == ["a.bin"]


def test_an_output_directory_keeps_dist_clean(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.folder / "hatch-sign.toml").write_text('output-directory = "signatures"\n' + CONFIGURATION)
    project.succeed("sign", "dist")
    assert project.names() == ["a.bin"]
    project.succeed("verify", "dist")


def test_trust_can_be_exported_to_a_consumer(project: Project, tmp_path: Path) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    (tmp_path / "consumer").mkdir()
    consumer = Project(tmp_path / "consumer", {k: v for k, v in project.environ.items() if not k.startswith("HATCH_")})
    project.succeed("trust", "export", "-o", str(consumer.folder / "hatch-sign.toml"))
    consumer.succeed("verify", str(artifact))
    artifact.write_bytes(b"Data")
    assert consumer.run("verify", str(artifact)).code == 1


def test_a_bundle_can_lie_elsewhere(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    moved = (project.dist / "a.bin.sigstore.json").rename(project.folder / "moved.sigstore.json")
    assert project.run("verify", str(artifact)).code == 1
    project.succeed("verify", str(artifact), "--bundle", str(moved))


def test_a_key_that_ended_is_expired_unless_judged_before(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    with (project.folder / "hatch-sign.toml").open("a") as stream:
        stream.write("not-after = 2020-12-31\n")
    ran = project.run("verify", str(artifact))
    assert (ran.code, "expired" in ran.out) == (1, True)
    project.succeed("verify", str(artifact), "--at", "2020-12-31T23:59:59")
