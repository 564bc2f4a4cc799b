"""One file for consumers: it needs no other, trusts the same, and holds nothing private."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hatch_sign.configuration.building import build_policy
from hatch_sign.configuration.exporting import export_trust
from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.configuration.model import Configuration
from hatch_sign.registry import Registry
from hatch_sign.values.errors import ConfigurationError

from ..trust.authorities import issue, p256

if TYPE_CHECKING:
    from hatch_sign.contract import TrustKind

Load = Callable[..., Configuration]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROOT = issue("root", None, authority=True)
TEXT = """
[tool.hatch-sign]
output-directory = "dist"
[[tool.hatch-sign.signature]]
name = "main"
key = "pkcs11:token=release;object=signing?pin-source=file:/etc/pin"
[[tool.hatch-sign.signature]]
name = "other"
key = "emulated:other"
formats = ["statement"]
[tool.hatch-sign.verify]
require = ["main", "statement"]
timestamp-roots = "roots.pem"
[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
formats = ["sigstore", "statement"]
artifacts = ["*.whl", "*.tar.gz"]
not-before = 2026-01-01
not-after = 2027-12-31
[[tool.hatch-sign.verify.trust]]
certificate-roots = "roots.pem"
subject = 'CN=Example \\"Ltd\\" č,C=SI'
minimum-rsa-bits = 4096
"""


@pytest.fixture
def configuration(load: Load, tmp_path: Path, pem: str) -> Configuration:
    (tmp_path / "release.pub").write_text(f"A comment\n{pem}")
    (tmp_path / "roots.pem").write_text(f"Bag Attributes\n{ROOT.pem}")
    return load(TEXT, name="pyproject.toml")


def test_a_consumer_trusts_the_same_without_any_other_file(
    configuration: Configuration,
    load: Load,
    registry: Registry,
    tmp_path: Path,
) -> None:
    text = export_trust(configuration, registry, at=NOW)
    ours = build_policy(configuration, registry, at=NOW)
    for file in tmp_path.iterdir():
        file.unlink()
    consumer = load(text)
    theirs = build_policy(consumer, registry, at=NOW)
    assert theirs.require == ours.require
    assert theirs.timestamp_roots == ours.timestamp_roots
    assert [replace(rule, label="") for rule in theirs.rules] == [replace(rule, label="") for rule in ours.rules]
    assert export_trust(consumer, registry, at=NOW) == text


def test_nothing_of_signing_is_told(configuration: Configuration, registry: Registry) -> None:
    text = export_trust(configuration, registry, at=NOW)
    for private in ("pkcs11", "pin", "output-directory", "emulated", "Bag Attributes", "comment"):
        assert private not in text


def test_a_private_key_beside_the_roots_stops_the_export(
    configuration: Configuration, registry: Registry, tmp_path: Path
) -> None:
    private = p256().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (tmp_path / "roots.pem").write_text(ROOT.pem + private)
    with pytest.raises(ConfigurationError) as caught:
        export_trust(configuration, registry, at=NOW)
    assert "holds a private key" in caught.value.problems[0]


def test_a_key_may_change_and_then_the_file_does(
    configuration: Configuration, registry: Registry, tmp_path: Path, load: Load
) -> None:
    before = export_trust(configuration, registry, at=NOW)
    (tmp_path / "roots.pem").write_text(issue("root", None, authority=True).pem)
    after = export_trust(configuration, registry, at=NOW)
    assert before != after
    rules = [build_policy(load(text), registry, at=NOW).rules[1].rule for text in (before, after)]
    assert rules[0] != rules[1]


@dataclass(frozen=True)
class Fingerprints:
    """A kind of rule from a plugin, whose files are no PEM, or are asked for whatever its table says."""

    name: str = "fingerprints"
    selector: frozenset[str] = frozenset({"files"})
    settings: Mapping[str, type] = field(default_factory=lambda: {"files": list})
    always: bool = False

    def parse(self, table: Mapping[str, Any], read: Callable[[str], bytes]) -> Any:  # noqa: ANN401 - nobody judges by it
        for name in table["files"]:
            if self.always or not name.startswith("-----BEGIN"):
                read("key.pem" if self.always else name)
        return self


class WithFingerprints(Registry):
    """What is installed, and a plugin's kind of rule."""

    def __init__(self, kind: Fingerprints) -> None:
        super().__init__()
        self._kind = kind

    def trust_kinds(self) -> Mapping[str, TrustKind]:
        return {**super().trust_kinds(), self._kind.name: self._kind}


def _export_fingerprints(kind: Fingerprints, data: str, folder: Path) -> str:
    (folder / "key.pem").write_text(data)
    path = folder / "hatch-sign.toml"
    path.write_text('[[verify.trust]]\nfiles = ["key.pem"]')
    registry = WithFingerprints(kind)
    configuration = load_configuration(path, directory=folder, environ={}, overrides=Overrides(), registry=registry)
    return export_trust(configuration, registry, at=NOW)


def test_files_of_a_plugins_rule_stand_inside_too(tmp_path: Path, pem: str) -> None:
    text = _export_fingerprints(Fingerprints(), pem, tmp_path)
    assert tomllib.loads(text)["verify"]["trust"] == [{"files": [pem]}]


def test_a_file_that_is_no_pem_cannot_stand_inside(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"key\.pem holds no PEM"):
        _export_fingerprints(Fingerprints(), "binary", tmp_path)


def test_a_rule_that_needs_its_file_all_the_same_is_refused(tmp_path: Path, pem: str) -> None:
    with pytest.raises(ConfigurationError, match=r"needs the file key\.pem"):
        _export_fingerprints(Fingerprints(always=True), pem, tmp_path)


def test_trust_in_nobody_is_not_exported(load: Load, registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match="nobody is trusted"):
        export_trust(load('key = "emulated:a"'), registry, at=NOW)
