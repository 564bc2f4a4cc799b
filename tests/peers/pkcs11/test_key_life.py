"""A key from its making to its certificate, as other tools see it: OpenSC, openssl, and a try to take it out."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .. import rigs
from .running import SUITES, run_python
from .token_project import KEY, TokenProject, make_token_project
from .tokens import RealToken, TokenName, start_token

SUBJECT = "CN=Example Ltd,O=Example Ltd,C=SI"
REFUSALS = {"AttributeSensitive", "AttributeTypeInvalid"}
"""A token may say that it does not tell, or that there is no such thing in it."""


@pytest.fixture(scope="module", params=TokenName, ids=str)
def token(request: pytest.FixtureRequest) -> Iterator[RealToken]:
    with start_token(request.param) as token:
        yield token


@pytest.fixture(scope="module")
def project(token: RealToken, tmp_path_factory: pytest.TempPathFactory) -> TokenProject:
    return make_token_project(tmp_path_factory.mktemp(str(token.name)) / "project", token, artifacts=1)


def listed(token: RealToken, kind: str, label: str = KEY) -> dict[str, str]:
    """Return what pkcs11-tool shows of the one object of this kind and label."""
    shown = token.as_user("--list-objects", "--type", kind).stdout
    entries = [dict(re.findall(r"^ +([^:\n]+): +(.*?) *$", entry, re.MULTILINE)) for entry in re.split(r"\n(?=\S)", shown)]
    (found,) = [entry for entry in entries if entry.get("label") == label]
    return found


def test_the_key_is_made_inside_and_stays_there(token: RealToken, project: TokenProject) -> None:
    private = listed(token, "privkey")
    assert private["Access"] == "sensitive, always sensitive, never extractable, local"
    assert private["Usage"] == "sign"
    public = listed(token, "pubkey")
    assert public["ID"] == private["ID"]
    assert "sign" not in public["Usage"]
    assert project.token is token


def test_the_key_cannot_be_taken_out(token: RealToken, project: TokenProject) -> None:
    project.succeed("key", "generate", token.reference("kept"), "--algorithm", token.algorithms[0].value)
    answers = json.loads(run_python(token, SUITES / "export_a_key.py", "kept", seconds=60.0).stdout.splitlines()[-1])
    assert set(answers["values"]) <= REFUSALS
    assert set(answers["values afterwards"]) <= REFUSALS
    # tpm2-pkcs11 keeps what it says of a key in a database, and lets it be changed; the key itself stays in the TPM.
    assert ("set" in answers["guards"]) == (token.name is TokenName.TPM)


def test_a_key_that_can_be_taken_out_is_seen_as_one(tmp_path: Path) -> None:
    with start_token(TokenName.SOFTHSM) as token:
        done = run_python(token, SUITES / "export_a_key.py", "loose", "--make", seconds=60.0)
        assert "read" in json.loads(done.stdout)["values"]
        assert "sensitive" not in listed(token, "privkey", "loose")["Access"]
        shown = TokenProject(tmp_path, {}, token).succeed("key", "show", token.reference("loose"))
    assert "software" in shown.out
    assert "can be taken out" in shown.out


def test_list_and_show_tell_what_the_token_has(token: RealToken, project: TokenProject) -> None:
    (key,) = json.loads(project.succeed("key", "list", token.reference(KEY), "--json").out)["keys"]
    assert key["label"] == KEY
    assert key["id"] == listed(token, "privkey")["ID"].replace(":", "")
    assert key["algorithm"] == token.algorithms[0].value
    assert key["public-key"] == (project.folder / "release.pub").read_text()
    assert key["protection"]["level"] == "self-asserted"
    shown = project.succeed("key", "show", key["reference"])
    assert key["sha256"] in shown.out
    assert "absent" not in shown.out
    assert "no private key answers" in project.fail(3, "key", "show", token.reference("absent"))


def test_a_label_that_is_taken_is_refused(token: RealToken, project: TokenProject) -> None:
    failed = project.fail(3, "key", "generate", token.reference(KEY), "--algorithm", token.algorithms[0].value)
    assert "holds such a key already" in failed
    assert (project.folder / "release.pub").read_text() == project.succeed("key", "export-public", token.reference(KEY)).out


def test_openssl_takes_the_request_and_no_other(token: RealToken, project: TokenProject, tmp_path: Path) -> None:
    request = tmp_path / "request.pem"
    project.succeed("key", "csr", token.reference(KEY), "--subject", SUBJECT, "-o", str(request))
    parsed = x509.load_pem_x509_csr(request.read_bytes())
    assert "verify OK" in verified(request)
    assert parsed.subject.rfc4514_string() == SUBJECT
    der = bytearray(parsed.public_bytes(Encoding.DER))
    der[der.index(b"Example Ltd")] ^= 1
    request.write_bytes(x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM))
    assert "verify failure" in verified(request)


def verified(request: Path) -> str:
    """Return what openssl says of the signature of a request; its exit status says nothing before version 3.2."""
    command = [str(rigs.require("openssl")), "req", "-verify", "-noout", "-in", str(request)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def test_its_certificate_is_stored_beside_it(token: RealToken, project: TokenProject, tmp_path: Path) -> None:
    key = load_pem_public_key((project.folder / "release.pub").read_bytes())
    leaf, file = certify(key), tmp_path / "leaf.pem"
    file.write_bytes(certify(ec.generate_private_key(ec.SECP256R1()).public_key()).public_bytes(Encoding.PEM))
    refused = project.run("key", "import-certificate", token.reference(KEY), str(file))
    assert refused.code != 0
    assert "Certificate Object" not in token.as_user("--list-objects", "--type", "cert").stdout

    file.write_bytes(leaf.public_bytes(Encoding.PEM))
    project.succeed("key", "import-certificate", token.reference(KEY), str(file))
    assert listed(token, "cert")["ID"] == listed(token, "privkey")["ID"]
    read = tmp_path / "read.der"
    token.as_user("--read-object", "--type", "cert", "--label", KEY, "--output-file", read)
    assert read.read_bytes() == leaf.public_bytes(Encoding.DER)
    assert "CN=Example Ltd" in project.succeed("key", "show", token.reference(KEY)).out


def certify(key: object) -> x509.Certificate:
    """Return a certificate for code signing over `key`, by an authority that nobody has to trust."""
    authority = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]),
        subject_name=x509.Name.from_rfc4514_string(SUBJECT),
        public_key=key,
        serial_number=7,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2036, 1, 1, tzinfo=UTC),
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    return builder.add_extension(usage, critical=True).sign(authority, hashes.SHA256())
