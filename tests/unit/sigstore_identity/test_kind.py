"""How rules with an identity are configured, and where their trusted root comes from."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sigstore.models import ClientTrustConfig

from hatch_sign.configuration.exporting import export_trust
from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.registry import Registry
from hatch_sign.values.errors import ConfigurationError, HatchSignError, MalformedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_sigstore.identity.kind import IdentityKind
from hatch_sign_sigstore.identity.public_instances import PUBLIC_INSTANCES

from .crafted_sigstore import IDENTITY, ISSUER, NOW
from .judging import ARTIFACT, judge, sigstore

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign_sigstore.identity.rule import IdentityRule

CLIENT_TRUST = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


def parse(root: object = None, **table: str) -> IdentityRule:
    """Parse a rule whose file `root.json`, the only one there is, holds `root`."""
    files = {"root.json": root if isinstance(root, bytes) else json.dumps(root).encode()}
    return IdentityKind().parse(
        {"identity": IDENTITY, "issuer": ISSUER, "trusted-root": "root.json", **table}, files.__getitem__
    )


def verdict(rule: IdentityRule) -> Verdict:
    return judge(rule, sigstore().message_bundle(ARTIFACT)).verdict


def client_trust() -> dict[str, Any]:
    return {"mediaType": CLIENT_TRUST, "trustedRoot": sigstore().trusted_root, "signingConfig": {"mediaType": "whatever"}}


def test_a_trusted_root_is_read_from_a_file_of_either_kind_or_stands_in_the_rule() -> None:
    assert verdict(parse(sigstore().trusted_root)) is Verdict.TRUSTED
    assert verdict(parse(client_trust())) is Verdict.TRUSTED
    assert verdict(parse(b"", **{"trusted-root": json.dumps(sigstore().trusted_root)})) is Verdict.TRUSTED


@pytest.mark.parametrize("name", ["production", "staging"])
def test_public_instances_need_no_network_and_say_nothing(
    name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither proxy nor cache of this user is there, so that what sigstore-python brings along is all there is."""
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert verdict(parse(**{"trusted-root": name})) is Verdict.UNTRUSTED
    assert capfd.readouterr() == ("", "")


def test_production_is_what_a_rule_means_that_says_nothing() -> None:
    rule = IdentityKind().parse({"identity": IDENTITY, "issuer": ISSUER}, {}.__getitem__)
    assert verdict(rule) is Verdict.UNTRUSTED


def test_a_public_instance_needs_no_place_for_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "file"))
    assert verdict(parse(**{"trusted-root": "production"})) is Verdict.UNTRUSTED


@pytest.mark.parametrize("name", ["production", "staging"])
def test_what_lies_in_a_cache_is_trusted_by_nobody(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    folder = tmp_path / "sigstore-python" / "tuf" / quote(PUBLIC_INSTANCES[name], safe="")
    folder.mkdir(parents=True)
    (folder / "trusted_root.json").write_text(json.dumps(sigstore().trusted_root))
    assert ClientTrustConfig.from_tuf(PUBLIC_INSTANCES[name], offline=True).trusted_root.get_fulcio_certs() == [
        sigstore().authority
    ], "it lies where sigstore-python looks"
    assert verdict(parse(**{"trusted-root": name})) is Verdict.UNTRUSTED


def damaged(**changes: object) -> dict[str, Any]:
    return {**sigstore().trusted_root, **changes}


@pytest.mark.parametrize(
    ("root", "problem"),
    [
        (b"", r"root\.json is not JSON"),
        (b"[" * 100_000, r"root\.json is not JSON"),
        (b"[]", r"root\.json is not an object"),
        ({}, r"root\.json is no trusted root of Sigstore: .*; give the `trusted_root\.json`"),
        ({"mediaType": "other"}, "is no trusted root"),
        ({"mediaType": CLIENT_TRUST}, r"root\.json: trustedRoot is not an object"),
        (lambda: damaged(mediaType="application/vnd.dev.sigstore.trustedroot+json;version=9"), "is no trusted root"),
        (lambda: damaged(certificateAuthorities=[]), "is no trusted root"),
        (lambda: damaged(tlogs=[]), "is no trusted root"),
        (
            lambda: damaged(certificateAuthorities=[{"certChain": {"certificates": [{"rawBytes": "AAAA"}]}}]),
            "is no trusted root",
        ),
    ],
)
def test_a_file_that_is_no_trusted_root_is_malformed(root: Any, problem: str) -> None:  # noqa: ANN401 - JSON, or what makes it
    with pytest.raises(MalformedError, match=problem):
        parse(root() if callable(root) else root)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"identity": "a"}, "lacks `issuer`: without it, any issuer could vouch"),
        ({"identity": "a", "identity-pattern": "b", "issuer": "c"}, "has both `identity` and `identity-pattern`"),
        ({"identity-pattern": "b", "issuer": "c"}, "expected an https address"),
        ({"identity": "a", "issuer": "accounts.example"}, "`issuer` is accounts.example, which is no address"),
    ],
)
def test_half_a_rule_is_refused(table: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        IdentityKind().parse(table, {}.__getitem__)


# --- in a configuration, and in the one that consumers are given

CONFIGURATION = f"""\
[[verify.trust]]
identity = "{IDENTITY}"
issuer = "{ISSUER}"
"""


def export(folder: Path, text: str) -> str:
    path = folder / "hatch-sign.toml"
    path.write_text(text)
    registry = Registry()
    configuration = load_configuration(path, directory=folder, environ={}, overrides=Overrides(), registry=registry)
    return export_trust(configuration, registry, at=NOW)


def test_an_exported_rule_holds_its_trusted_root(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text(json.dumps(sigstore().trusted_root, indent=2))
    text = export(tmp_path, CONFIGURATION + 'trusted-root = "root.json"\nformats = ["sigstore"]\n')
    (rule,) = tomllib.loads(text)["verify"]["trust"]
    assert rule == {"identity": IDENTITY, "issuer": ISSUER, "formats": ["sigstore"], "trusted-root": rule["trusted-root"]}
    assert json.loads(rule["trusted-root"]) == sigstore().trusted_root
    (tmp_path / "root.json").unlink()
    assert export(tmp_path, text) == text


def test_an_exported_rule_names_a_public_instance(tmp_path: Path) -> None:
    for root in ("", 'trusted-root = "staging"\n'):
        (rule,) = tomllib.loads(export(tmp_path, CONFIGURATION + root))["verify"]["trust"]
        assert rule.get("trusted-root", "") == ("staging" if root else "")


def test_a_rule_whose_trusted_root_is_missing_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(HatchSignError) as caught:
        export(tmp_path, CONFIGURATION + 'trusted-root = "absent.json"\n')
    assert "absent.json" in str(caught.value)
