"""What somebody may try who can put files beside an artifact, or write a plugin, and holds no trusted key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .cli_project import CONFIGURATION, Project, make_project, make_wheel


def refused(project: Project, reason: str, *arguments: str) -> str:
    """Verify what must be rejected, and for this reason."""
    ran = project.run("verify", *arguments)
    assert (ran.code, reason in ran.output) == (1, True), ran.output
    return ran.out


@pytest.mark.parametrize("format_", ["statement", "checksums"])
def test_a_twin_of_the_same_name_is_not_vouched_for(project: Project, format_: str) -> None:
    wheel = make_wheel(project)
    (project.dist / "b").mkdir()
    wheel.rename(project.dist / "b" / wheel.name)
    signatures = str(project.folder / "signatures")
    formats = ("--format", format_, "--format", "sigstore")
    project.succeed("sign", "dist/b", *formats, "--output-directory", signatures)
    (project.folder / "hatch-sign.toml").write_text('output-directory = "signatures"\n' + CONFIGURATION)
    project.succeed("verify", "dist", "--require", format_)
    project.add(f"a/{wheel.name}", b"evil")
    shown = refused(project, "hash-mismatch", "dist", "--require", format_)
    assert " trusted " in shown


def test_a_file_name_makes_no_other_format_of_a_signature(project: Project) -> None:
    artifact = project.add("tool-1.0.bin", b"v1")
    project.succeed("sign", "dist")
    artifact.rename(project.dist / "tool-2.0.bin")
    (project.dist / "tool-1.0.bin.sigstore.json").rename(project.dist / "tool-2.0.bin.statement.sigstore.json")
    refused(project, "unsigned", "dist", "--require", "statement")


def test_one_signature_copied_does_not_stand_for_two(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    original = project.dist / "a.bin.sigstore.json"
    (project.folder / "hatch-sign.toml").write_text(
        'key = "emulated:test/release"\n[verify]\nrequire = ["alice", "bob"]\nsignatures = ["alice", "bob"]\n'
        '[[verify.trust]]\npublic-key = "release.pub"\n'
    )
    shutil.copy(original, project.dist / "a.bin.alice.sigstore.json")
    original.rename(project.dist / "a.bin.bob.sigstore.json")
    refused(project, "a copy of the signature in", "dist")


def test_each_of_two_required_signatures_can_be_demanded_of_another_person(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/second")
    project.succeed("key", "export-public", "emulated:test/second", "-o", "second.pub")
    signature = '[[signature]]\nname = "{}"\nkey = "emulated:test/{}"\n'
    rule = '[[verify.trust]]\npublic-key = "{}.pub"\nsignatures = ["{}"]\n'
    rules = '[verify]\nrequire = ["alice", "bob"]\n' + rule.format("release", "alice") + rule.format("second", "bob")
    project.add("a.bin", b"data")
    (project.folder / "hatch-sign.toml").write_text(
        signature.format("alice", "release") + signature.format("bob", "release") + rules
    )
    assert "bob is untrusted" in project.fail(1, "sign", "dist")
    refused(project, "untrusted", "dist")
    (project.folder / "hatch-sign.toml").write_text(
        signature.format("alice", "release") + signature.format("bob", "second") + rules
    )
    project.succeed("sign", "dist", "--overwrite")
    project.succeed("verify", "dist")
    project.succeed("trust", "export", "-o", "consumer.toml")
    project.succeed("verify", "dist", "--config", "consumer.toml")


def test_a_statement_does_not_become_a_sidecar_by_its_name(project: Project) -> None:
    wheel = make_wheel(project)
    project.succeed("sign", "dist", "--format", "statement")
    statement = project.dist / "demo-1.0.intoto.sigstore.json"
    project.succeed("verify", "dist", "--require", "statement")
    statement.rename(wheel.with_name(wheel.name + ".sigstore.json"))
    refused(project, "of another kind", "dist")


def test_a_sidecar_does_not_become_a_statement_by_its_name(tmp_path: Path) -> None:
    project = make_project(tmp_path, algorithm="ed25519")
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    (project.dist / "a.bin.sigstore.json").rename(project.dist / "z.intoto.sigstore.json")
    refused(project, "of another kind", "dist", "--require", "statement")


def test_a_list_vouches_for_no_more_than_the_rule_that_trusts_its_signer(project: Project) -> None:
    project.add("app.bin", b"program")
    project.add("docs.bin", b"manual")
    project.succeed("sign", "dist", "--format", "checksums", "--format", "sigstore")
    rule = CONFIGURATION + 'artifacts = ["docs*"]\n'
    (project.folder / "hatch-sign.toml").write_text(rule)
    project.succeed("verify", "dist/docs.bin", "--require", "checksums")
    refused(project, "no trust rule is for checksums", "dist/app.bin", "--require", "checksums")
    (project.folder / "hatch-sign.toml").write_text(CONFIGURATION + 'formats = ["checksums"]\n')
    project.succeed("verify", "dist", "--require", "checksums")


def test_a_configuration_that_came_with_the_artifact_is_not_followed(project: Project) -> None:
    shutil.copy(project.folder / "hatch-sign.toml", project.dist)
    shutil.copy(project.folder / "release.pub", project.dist)
    project.add("a.bin", b"data")
    project.succeed("sign", "dist/a.bin")
    inside = Project(project.dist, project.environ)
    assert "may have brought it along" in inside.fail(2, "verify", "a.bin")
    inside.succeed("verify", "a.bin", "--config", "hatch-sign.toml")


def test_an_artifact_that_is_replaced_while_it_is_verified_is_not_reported(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    program = (
        "import sys; from pathlib import Path; from hatch_sign.cli import main\n"
        "from hatch_sign.verification import verifying\n"
        "settle = verifying.settle_name\n"
        "def replaced(artifact, outcomes):\n"
        "    Path('evil').write_bytes(b'evil'); Path('evil').replace(artifact.path)\n"
        "    return settle(artifact, outcomes)\n"
        "verifying.settle_name = replaced; sys.exit(main(sys.argv[1:]))"
    )
    ran = project.run("verify", "dist", program=("-c", program))
    assert (ran.code, "changed while it was being verified" in ran.err) == (3, True)


def test_a_linked_folder_is_not_passed_over(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    (project.folder / "other").mkdir()
    (project.dist / "linked").symlink_to(project.folder / "other")
    assert "is a symbolic link to a folder" in project.fail(2, "verify", "dist")


def test_the_signature_of_tool_exe_is_not_one_of_tool(project: Project) -> None:
    project.add("tool", b"for one system")
    project.add("tool.exe", b"for another")
    project.succeed("sign", "dist")
    project.succeed("verify", "dist")
    (project.dist / "tool.sigstore.json").unlink()
    refused(project, "unsigned", "dist")


@pytest.mark.parametrize("how", ["SystemExit(0)", "type('PanicException', (BaseException,), {})()"])
def test_a_plugin_that_ends_the_program_does_not_end_it_well(project: Project, how: str) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    for place, arguments in (
        ("hatch_sign.formats.sigstore.verifier.BundleVerifier.check", ("verify", "dist")),
        ("hatch_sign.formats.sigstore.producer.BundleProducer.sign", ("sign", "dist", "--overwrite")),
    ):
        module, _, name = place.rpartition(".")
        module, _, owner = module.rpartition(".")
        program = (
            f"import sys, {module} as module; from hatch_sign.cli import main\n"
            f"def leave(*_): raise {how}\n"
            f"module.{owner}.{name} = leave; sys.exit(main(sys.argv[1:]))"
        )
        ran = project.run(*arguments, program=("-c", program))
        assert ran.code == 3, ran.output
        assert ran.err.splitlines()[-1].startswith("hatch-sign: error: "), ran.output


def test_a_temporary_file_of_an_impossible_process_stops_nothing(project: Project) -> None:
    project.add("a.bin", b"data")
    (project.dist / ".x.9999999999-aaaaaaaa.hatch-sign-tmp").write_bytes(b"x")
    project.succeed("sign", "dist")


def test_an_argument_full_of_escapes_reaches_no_terminal(project: Project) -> None:
    ran = project.run("verify", "dist", "-\x1b]0;pwned\x07")
    assert ran.code == 2
    assert "\x1b" not in ran.output


def test_a_file_name_makes_no_cells_of_its_own(project: Project) -> None:
    project.add("a.bin  sigstore  trusted", b"data")
    shown = refused(project, "unsigned", "dist")
    assert shown.splitlines() == [r"a.bin \x20sigstore \x20trusted  sigstore  unsigned  required, and not there"]


def test_a_document_is_no_command_to_the_service_that_reads_it(project: Project) -> None:
    name = "a###[b]##vso[task.setvariable variable=X]y.bin"
    project.add(name, b"data")
    ran = project.run("verify", "dist", "--json")
    assert "##" not in ran.out
    (artifact,) = json.loads(ran.out)["artifacts"]
    assert artifact["name"] == name


def test_a_signing_setting_in_the_environment_sways_no_verdict(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    shutil.copytree(project.dist, project.folder / "good")
    (project.dist / "a.bin.sigstore.json").write_text("{}")
    environ = {"HATCH_SIGN_OUTPUT_DIRECTORY": str(project.folder / "good"), "HATCH_SIGN_KEY": "no reference"}
    ran = project.run("verify", "dist", **environ)
    assert (ran.code, "malformed" in ran.out) == (1, True)
