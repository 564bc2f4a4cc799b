"""``hatch-sign verify``, ``config check`` and ``trust export`` with rules that ask what was revoked."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from hatch_sign.cli.commands import build_parser, load_command
from hatch_sign.cli.console import Console
from hatch_sign.cli.environment import Environment
from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.testing.seals import KeySeal
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import ConfigurationError
from tests.authority import DAY, NOW, Authority
from tests.unit.services.https_server import Answer, Service, serving

CONFIGURATION = """\
[verify]
require = ["sigstore"]
[[verify.trust]]
certificate-roots = "root.pem"
certificate-intermediates = "issuer.pem"
subject = "CN=signer,O=Example Ltd,C=SI"
"""
CONTENT = b"what is released"


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service(lambda _: Answer(404)), None) as running:
        yield running


class Release:
    """A signed file below `folder`, whose signer's lists are at a service on the loopback."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.root = Authority("Root")
        self.issuer = Authority("Issuer", above=self.root, crl_url=f"{service.origin}/root.crl")
        self.signer = self.issuer.holder("signer", crl_url=f"{service.origin}/issuer.crl")
        self.lists = {"/root.crl": self.root.revocation_list(), "/issuer.crl": self.issuer.revocation_list()}
        service.respond = lambda request: Answer(200, self.lists[request.path])
        self.write("root.pem", self.root.pem)
        self.write("issuer.pem", self.issuer.pem)
        self.write("dist/tool.bin", CONTENT)
        seal = KeySeal(self.signer.key, Scheme.ECDSA_SHA256, self.signer.certificates, options={"bundle-certificate": True})
        subject = Subject("tool.bin", len(CONTENT), {"sha256": hashlib.sha256(CONTENT).digest()})
        self.write("dist/tool.bin.sigstore.json", BundleProducer().sign(subject, seal))

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(data)

    def configure(self, settings: str) -> None:
        self.write("hatch-sign.toml", (CONFIGURATION + settings).encode())

    def run(self, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(Console(out, err), {}, self.folder, lambda: NOW)
        parsed = build_parser([arguments[0]]).parse_args(arguments)
        code = load_command(arguments[0]).run(parsed, environment)
        return code, out.getvalue(), err.getvalue()

    def verify(self, *arguments: str) -> tuple[str, str, list[str]]:
        """Return the verdict on the one signature, its detail, and its warnings."""
        code, out, _ = self.run("verify", str(self.folder / "dist"), "--json", *arguments)
        ((signature,),) = [artifact["signatures"] for artifact in json.loads(out)["artifacts"]]
        assert (code == 0) == (signature["verdict"] == "trusted")
        return signature["verdict"], signature["detail"], signature["warnings"]


@pytest.fixture
def release(tmp_path: Path, service: Service) -> Release:
    return Release(tmp_path, service)


FROM_FILES = 'revocation = "require"\nrevocation-lists = ["root.crl", "issuer.crl"]\n'


def put_lists(release: Release) -> None:
    for place, data in release.lists.items():
        release.write(place.removeprefix("/"), data)


def test_lists_are_fetched_where_a_rule_asks_and_nobody_forbids_it(release: Release, service: Service) -> None:
    release.configure("")
    assert release.verify()[0] == "trusted"
    assert service.requests == []
    release.configure('revocation = "require"\n')
    assert release.verify()[0] == "trusted"
    assert sorted(request.path for request in service.requests) == ["/issuer.crl", "/root.crl"]
    release.lists["/issuer.crl"] = release.issuer.revocation_list({release.signer.certificate: (NOW - DAY, None)})
    verdict, detail, _ = release.verify()
    assert verdict == "revoked"
    assert f"is revoked since {NOW - DAY:%Y-%m-%d %H:%M:%SZ}" in detail


def test_offline_nothing_is_fetched(release: Release, service: Service) -> None:
    release.configure('revocation = "require"\n')
    verdict, detail, _ = release.verify("--offline")
    assert verdict == "indeterminate"
    assert "no list or answer is at hand, and nothing may be fetched" in detail
    release.configure('revocation = "prefer"\n')
    verdict, _, (warning,) = release.verify("--offline")
    assert verdict == "trusted"
    assert "nothing may be fetched" in warning
    put_lists(release)
    release.configure(FROM_FILES)
    assert release.verify("--offline") == ("trusted", "name not covered", [])
    assert service.requests == []


def test_a_warning_shows_on_a_terminal_too(release: Release) -> None:
    release.configure('revocation = "prefer"\n')
    code, out, err = release.run("verify", str(release.folder / "dist"), "--offline")
    assert code == 0
    assert "could not be found out" in out + err


def test_a_list_that_was_never_there_is_indeterminate(release: Release) -> None:
    release.configure('revocation = "require"\n')
    release.lists["/issuer.crl"] = b"<html>"
    assert release.verify()[0] == "indeterminate"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ('revocation = "sometimes"', "`revocation` is 'sometimes', expected `off`, `prefer` or `require`"),
        ("revocation = true", "is true or false, expected a string"),
        ('revocation-list = ["a"]', "is not a known key; did you mean `revocation-lists`?"),
        ('revocation-lists = "a"', "is a string, expected an array"),
        ('revocation-lists = ["issuer.crl"]', "`revocation-lists` is given, and `revocation` is off"),
        ('revocation = "require"\nrevocation-lists = ["no.crl"]', "no.crl cannot be read: No such file or directory"),
        ('revocation = "require"\nrevocation-lists = ["root.pem"]', "root.pem: holds no X509 CRL in DER or PEM"),
        ('revocation = "require"\nrevocation-responses = ["root.crl"]', "root.crl: holds no OCSP RESPONSE in DER or PEM"),
    ],
)
def test_what_is_configured_wrongly_is_one_clear_error(release: Release, settings: str, reason: str) -> None:
    put_lists(release)
    release.configure(settings + "\n")
    for arguments in (("config", "check"), ("verify", str(release.folder / "dist"))):
        with pytest.raises(ConfigurationError) as caught:
            release.run(*arguments)
        told = "\n".join([str(caught.value), *caught.value.problems])
        assert reason in told


def test_what_is_right_passes_the_check(release: Release, service: Service) -> None:
    put_lists(release)
    release.configure(FROM_FILES)
    assert release.run("config", "check")[0] == 0
    assert service.requests == []


def test_a_consumers_file_has_lists_and_answers_inside(release: Release, service: Service, tmp_path: Path) -> None:
    put_lists(release)
    release.write("signer.ors", release.issuer.ocsp_response(release.signer.certificate))
    release.configure('revocation = "require"\nrevocation-lists = ["root.crl"]\nrevocation-responses = ["signer.ors"]\n')
    consumer = tmp_path / "consumer.toml"
    release.run("trust", "export", "-o", str(consumer))
    assert consumer.read_text().count("-----BEGIN X509 CRL-----") == 1
    assert consumer.read_text().count("-----BEGIN OCSP RESPONSE-----") == 1
    for name in ("root.pem", "issuer.pem", "root.crl", "signer.ors", "hatch-sign.toml"):
        (release.folder / name).unlink()
    assert release.verify("--config", str(consumer))[0] == "trusted"
    assert service.requests == []


def test_a_consumers_file_that_nobody_could_read_is_not_written(release: Release) -> None:
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x83\x10\x00\x00" + bytes(1 << 20))
    release.lists["/root.crl"] = release.root.revocation_list(extensions=[(padding, False)])
    put_lists(release)
    release.configure(FROM_FILES)
    assert release.verify("--offline")[0] == "trusted"
    with pytest.raises(ConfigurationError, match="larger than the 1048576 bytes of a configuration"):
        release.run("trust", "export")
    release.write("issuer.crl", bytes(10 << 20) + b"0")
    with pytest.raises(ConfigurationError) as caught:
        release.run("config", "check")
    assert "issuer.crl is larger than 10485760 bytes" in caught.value.problems[0]
