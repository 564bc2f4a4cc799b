"""What stands in the way of signing and verifying, corner by corner: each ends in its reason and changes nothing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from .cli_project import CONFIGURATION, Project, make_wheel


def certify(project: Project, public_key: object = None, *, days: int = 300) -> None:
    """Write ``roots.pem`` and ``chain.pem``: a root of the test's own certifies the project's key, or another one."""
    root_key, root_name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=Root")
    start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=days)
    root = (
        x509.CertificateBuilder(root_name, root_name, root_key.public_key(), 1, start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    key = public_key or load_pem_public_key((project.folder / "release.pub").read_bytes())
    leaf = (
        x509.CertificateBuilder(root_name, x509.Name.from_rfc4514_string("CN=Example Ltd,O=Example Ltd,C=SI"))
        .public_key(key)  # type: ignore[arg-type] # read from a file, or made as one below
        .serial_number(2)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    (project.folder / "roots.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (project.folder / "chain.pem").write_bytes(leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM))


CERTIFIED = """\
key = "emulated:test/release"
certificates = "chain.pem"
bundle-certificate = true
[[verify.trust]]
certificate-roots = "roots.pem"
subject = "CN=Example Ltd,O=Example Ltd,C=SI"
"""


def test_a_certificate_is_trusted_by_its_root_and_whole_subject(project: Project) -> None:
    certify(project)
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED)
    artifact = project.add("a.bin", b"data")
    assert "certificate ends" not in project.succeed("sign", "dist").err
    assert "rawBytes" in (project.dist / "a.bin.sigstore.json").read_text()
    assert "CN=Example Ltd" in project.succeed("verify", "dist").out
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED.replace("C=SI", "C=AT"))
    ran = project.run("verify", "dist")
    assert (ran.code, "wrong-identity" in ran.out) == (1, True)
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED)
    ran = project.run("verify", "dist", "--at", "2040-01-01")
    assert (ran.code, "expired" in ran.out) == (1, True)
    certify(project)  # another root of the same name
    ran = project.run("verify", "dist")
    assert (ran.code, "untrusted" in ran.out) == (1, True)
    artifact.write_bytes(b"Data")
    assert "hash-mismatch" in project.run("verify", "dist").out
    audit = json.loads((project.folder / "home" / "audit.jsonl").read_text())
    assert audit["credential"].startswith("sha256:")


def test_a_certificate_near_its_end_is_warned_of(project: Project) -> None:
    certify(project, days=20)
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED)
    project.add("a.bin", b"data")
    assert "emulated:test/release: its certificate ends at" in project.succeed("sign", "dist").err
    assert "certificate ends at" in project.succeed("verify", "dist").err


def test_a_signature_is_made_anew_where_the_certificate_that_it_carries_is_another(project: Project) -> None:
    certify(project)
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED.replace("bundle-certificate = true\n", ""))
    project.add("a.bin", b"data")
    assert "the project's own policy rejects it" in project.fail(1, "sign", "dist")
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED)
    assert "there already" in project.fail(2, "sign", "dist")
    project.succeed("sign", "dist", "--overwrite")
    project.succeed("verify", "dist")
    assert "already signed" in project.succeed("sign", "dist").out
    certify(project)  # a renewed certificate for the same key
    assert "there already" in project.fail(2, "sign", "dist")


def test_a_statement_over_other_artifacts_is_not_the_one_that_would_be_made(project: Project) -> None:
    wheel = make_wheel(project)
    project.add("demo-1.0.tar.gz", b"stands for an sdist")
    project.succeed("sign", "dist", "--format", "statement")
    assert "already signed" in project.succeed("sign", "dist", "--format", "statement").out
    wheel.unlink()
    assert "there already" in project.fail(2, "sign", "dist", "--format", "statement")


def test_a_certificate_for_another_key_is_refused_before_anything_is_signed(project: Project) -> None:
    certify(project, ec.generate_private_key(ec.SECP256R1()).public_key())
    (project.folder / "hatch-sign.toml").write_text(CERTIFIED)
    project.add("a.bin", b"data")
    assert "is for another key than emulated:test/release" in project.fail(2, "sign", "dist")
    assert project.names() == ["a.bin"]


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_chain_that_is_none_names_its_file(project: Project, content: bytes | None) -> None:
    (project.folder / "hatch-sign.toml").write_text('certificates = "chain.pem"\n' + CONFIGURATION)
    if content is not None:
        (project.folder / "chain.pem").write_bytes(content)
    project.add("a.bin", b"data")
    assert "chain.pem" in project.fail(2, "sign", "dist")
    assert project.names() == ["a.bin"]


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_in_the_way_of_a_signature_is_named_and_kept(project: Project, kind: str) -> None:
    project.add("a.bin", b"data")
    target = project.dist / "a.bin.sigstore.json"
    target.mkdir() if kind == "folder" else target.symlink_to("a.bin")
    assert "in the way" in project.fail(2, "sign", "dist", "--overwrite")
    assert (project.dist / "a.bin").read_bytes() == b"data"


def test_a_signature_behind_a_symbolic_link_is_not_followed(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    sidecar = project.dist / "a.bin.sigstore.json"
    sidecar.rename(project.folder / "elsewhere.json")
    sidecar.symlink_to(project.folder / "elsewhere.json")
    ran = project.run("verify", "dist")
    assert (ran.code, "malformed" in ran.out) == (1, True)


def test_no_key_at_all_says_where_to_name_one(project: Project) -> None:
    (project.folder / "hatch-sign.toml").unlink()
    project.add("a.bin", b"data")
    assert "there is no configuration in" in project.fail(2, "sign", "dist")


def test_patterns_that_match_nothing_are_a_mistake(project: Project) -> None:
    (project.folder / "hatch-sign.toml").write_text('include = ["*.whl"]\n' + CONFIGURATION)
    project.add("a.bin", b"data")
    assert "no artifact matches" in project.fail(2, "sign", "dist")


def test_two_artifacts_whose_signatures_would_meet_are_refused(project: Project) -> None:
    project.add("one/a.bin", b"data")
    project.add("two/a.bin", b"other")
    message = project.fail(2, "sign", "dist", "--output-directory", str(project.folder / "signatures"))
    assert "two signatures would be written to" in message
    project.succeed("sign", "dist")
    project.succeed("verify", "dist")


def test_checksums_need_a_signature_of_their_own(project: Project) -> None:
    project.add("a.bin", b"data")
    assert "needs a signature of its own" in project.fail(2, "sign", "dist", "--format", "checksums")
    (project.dist / "SHA256SUMS").write_text("somebody else's\n")
    both = ("--format", "checksums", "--format", "sigstore")
    assert "there already" in project.fail(2, "sign", "dist", *both)
    assert (project.dist / "SHA256SUMS").read_text() == "somebody else's\n"
    project.succeed("sign", "dist", *both, "--overwrite")
    project.succeed("verify", "dist", "--require", "checksums")
    assert project.succeed("sign", "dist", *both).out.count("already signed") == 2


def test_an_unsigned_list_is_not_enough_and_a_wrong_one_rejects(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist", "--format", "checksums", "--format", "sigstore")
    (project.dist / "SHA256SUMS.sigstore.json").rename(project.folder / "kept")
    ran = project.run("verify", str(project.dist / "a.bin"), "--require", "checksums")
    assert (ran.code, "unsigned" in ran.out) == (1, True)
    (project.dist / "SHA256SUMS.sigstore.json").write_text("{}")
    ran = project.run("verify", str(project.dist / "a.bin"))
    assert (ran.code, "malformed" in ran.out) == (1, True)
    (project.dist / "SHA256SUMS.sigstore.json").unlink()
    (project.dist / "SHA256SUMS").write_text("not a list\n")
    ran = project.run("verify", str(project.dist / "a.bin"))
    assert (ran.code, "malformed" in ran.out) == (1, True)


def test_a_list_that_does_not_name_the_artifact_says_nothing_of_it(project: Project) -> None:
    project.add("a.bin", b"data")
    project.succeed("sign", "dist", "--format", "checksums", "--format", "sigstore")
    project.add("b.bin", b"more")
    project.succeed("sign", str(project.dist / "b.bin"))
    assert "checksums" not in project.succeed("verify", str(project.dist / "b.bin")).out
    ran = project.run("verify", str(project.dist / "b.bin"), "--require", "checksums")
    assert (ran.code, "unsigned" in ran.out) == (1, True)


def test_signatures_in_a_folder_above_cover_what_lies_below(project: Project) -> None:
    make_wheel(project)
    project.add("binary/app", b"program")
    formats = ("--format", "statement", "--format", "checksums", "--format", "sigstore")
    project.succeed("sign", "dist", *formats)
    require = ("--require", "statement", "--require", "checksums", "--require", "sigstore")
    assert project.succeed("verify", "dist", *require).out.count("trusted") == 6
    (project.dist / "binary" / "app").write_bytes(b"Program")
    assert project.run("verify", "dist", *require).out.count("hash-mismatch") == 3


def test_a_signature_file_of_the_wrong_name_or_size_is_refused(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    shutil.copy(project.dist / "a.bin.sigstore.json", project.folder / "bundle.txt")
    refused = project.fail(2, "verify", str(artifact), "--bundle", str(project.folder / "bundle.txt"))
    assert "no installed format has files of such a name" in refused
    assert "2 are named" in _two(project, artifact)
    with (project.dist / "a.bin.sigstore.json").open("r+b") as stream:
        stream.truncate(65 * 1024 * 1024)
    ran = project.run("verify", str(artifact))
    assert (ran.code, "larger than" in ran.out) == (1, True)


def _two(project: Project, artifact: Path) -> str:
    other = project.add("b.bin", b"data")
    bundle = str(project.dist / "a.bin.sigstore.json")
    return project.fail(2, "verify", str(artifact), str(other), "--bundle", bundle)


def test_a_line_that_a_full_disk_cut_short_does_not_spoil_the_next(project: Project) -> None:
    project.add("a.bin", b"data")
    audit = project.folder / "home" / "audit.jsonl"
    audit.write_text('{"time": "2026-')
    project.succeed("sign", "dist")
    first, second = audit.read_text().splitlines()
    assert first == '{"time": "2026-'
    assert json.loads(second)["artifact"] == "a.bin"


def test_a_plugin_that_raises_ends_in_a_verdict_or_one_line(project: Project) -> None:
    artifact = project.add("a.bin", b"data")
    project.succeed("sign", "dist")
    for method, arguments in (("parse", "self, data"), ("check", "self, parsed, subjects, keys")):
        program = (
            "import sys; from hatch_sign.formats.sigstore.verifier import BundleVerifier; from hatch_sign.cli import main\n"
            f"def fail({arguments}): raise RuntimeError('s3cret')\n"
            f"BundleVerifier.{method} = fail; sys.exit(main(sys.argv[1:]))"
        )
        ran = project.run("verify", str(artifact), program=("-c", program))
        assert (ran.code, "malformed" in ran.out, "RuntimeError" in ran.out) == (1, True, True), ran.output
        assert "s3cret" not in ran.output
