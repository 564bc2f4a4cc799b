"""A policy from a configuration: rules are parsed by their kinds, and all that is wrong is told together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.adhoc import adhoc_trust
from hatch_sign.configuration.building import build_policy
from hatch_sign.configuration.model import Configuration, TrustSettings
from hatch_sign.values.errors import ConfigurationError, PluginError, UsageError
from hatch_sign.values.public_keys import encode_public_key_pem

if TYPE_CHECKING:
    from hatch_sign.registry import Registry

Load = Callable[..., Configuration]

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_rules_become_a_policy_with_their_scope(load: Load, registry: Registry, tmp_path: Path, pem: str) -> None:
    (tmp_path / "release.pub").write_text(pem)
    text = f"""
    [[verify.trust]]
    public-key = "release.pub"
    formats = ["sigstore"]
    artifacts = ["*.whl"]
    not-before = 2026-01-01
    not-after = 2027-12-31
    [[verify.trust]]
    public-key = '''{pem}'''
    """
    policy = build_policy(load(text), registry, at=NOW)
    named, inline = policy.rules
    assert (policy.require, policy.at, policy.timestamp_roots) == (("sigstore",), NOW, ())
    assert [encode_public_key_pem(key).decode() for key in policy.keys] == [pem]
    assert (named.formats, named.artifacts) == (("sigstore",), ("*.whl",))
    assert named.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert named.not_after == datetime(2027, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert inline.label == "verify.trust[1] (public-key, inline)"


def test_every_rule_that_is_wrong_is_told_with_its_label(load: Load, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("x")
    text = """
    [verify]
    timestamp-roots = "broken.pem"
    [[verify.trust]]
    public-key = "absent.pub"
    [[verify.trust]]
    public-key = "broken.pem"
    [[verify.trust]]
    certificate-roots = "broken.pem"
    """
    with pytest.raises(ConfigurationError) as caught:
        build_policy(load(text), registry, at=NOW)
    first, second, third, fourth = caught.value.problems
    assert first.startswith("verify.trust[0] (public-key absent.pub): ")
    assert "absent.pub cannot be read: No such file" in first
    assert second.startswith("verify.trust[1] (public-key broken.pem): broken.pem: not a PEM public key")
    assert third.startswith("verify.trust[2] (certificate-roots broken.pem): lacks `subject`")
    assert fourth.startswith("verify.timestamp-roots: ")


@pytest.mark.parametrize(
    ("name", "text", "header"),
    [
        ("hatch-sign.toml", 'key = "emulated:a"', "[[verify.trust]]"),
        ("pyproject.toml", '[tool.hatch-sign]\nkey = "emulated:a"', "[[tool.hatch-sign.verify.trust]]"),
    ],
)
def test_nobody_trusted_says_what_to_write_in_this_file(
    name: str, text: str, header: str, load: Load, registry: Registry
) -> None:
    configuration = load(text, name=name)
    with pytest.raises(ConfigurationError) as caught:
        build_policy(configuration, registry, at=NOW)
    assert caught.value.message == f"nobody is trusted: {configuration.path} holds no trust rule"
    assert caught.value.remedy.startswith(f"write {header} with a `public-key`")
    followed = load(f'{text}\n{header}\npublic-key = "absent.pub"', name=name)
    with pytest.raises(ConfigurationError, match=r"verify\.trust\[0\] .*absent\.pub cannot be read"):
        build_policy(followed, registry, at=NOW)


def test_without_a_configuration_the_folder_is_named(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_policy(Configuration(None, tmp_path), registry, at=NOW)
    assert caught.value.message == f"nobody is trusted: no configuration was found in {tmp_path}"
    assert "name a configuration with `--config FILE`; `hatch-sign verify` also takes `--key PEM`" in caught.value.remedy


@pytest.mark.parametrize(("kind", "remedy"), [("identity", "install hatch-sign-sigstore"), ("other", "hatch-sign plugins")])
def test_a_kind_that_is_not_installed_names_what_would_bring_it(
    kind: str, remedy: str, load: Load, core_alone: Registry
) -> None:
    configuration = load("")
    rule = TrustSettings(kind, {}, "--cert-identity me")
    configuration = replace(configuration, verify=replace(configuration.verify, trust=(rule,)))
    with pytest.raises(ConfigurationError) as caught:
        build_policy(configuration, core_alone, at=NOW)
    assert remedy in caught.value.problems[0]


def test_a_kind_that_fails_is_named(load: Load, registry: Registry) -> None:
    """The kind ``certificate`` asked to parse a table that no check has seen."""
    configuration = load("")
    rule = TrustSettings("certificate", {"certificate-roots": 3, "subject": "CN=a"}, "rule")
    configuration = replace(configuration, verify=replace(configuration.verify, trust=(rule,)))
    with pytest.raises(ConfigurationError) as caught:
        build_policy(configuration, registry, at=NOW)
    assert caught.value.problems[0].startswith("rule: the kind of rule certificate failed: AttributeError")
    assert not isinstance(caught.value, PluginError)


# --- trust given on the command line ---------------------------------------------------------------------------------------


def test_a_key_on_the_command_line_is_a_rule(load: Load, registry: Registry, tmp_path: Path, pem: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "release.pub").write_text(pem)
    (rule,) = adhoc_trust(key="release.pub", directory=tmp_path / "here")
    configuration = load("")
    policy = build_policy(replace(configuration, verify=replace(configuration.verify, trust=(rule,))), registry, at=NOW)
    assert policy.rules[0].label == "--key release.pub"
    assert [encode_public_key_pem(key).decode() for key in policy.keys] == [pem]


def test_files_on_the_command_line_are_the_working_directorys() -> None:
    (rule,) = adhoc_trust(key="release.pub")
    assert rule.table == {"public-key": str(Path.cwd() / "release.pub")}


def test_roots_and_identities_on_the_command_line_are_rules() -> None:
    roots, identity = adhoc_trust(
        certificate_roots="/roots.pem",
        subject="CN=a",
        identity="me@example.com",
        issuer="https://issuer.example",
    )
    assert (roots.kind, roots.table) == ("certificate", {"certificate-roots": "/roots.pem", "subject": "CN=a"})
    assert (identity.kind, identity.table) == (
        "identity",
        {"identity": "me@example.com", "issuer": "https://issuer.example"},
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"certificate_roots": "roots.pem"}, "--certificate-roots is given without --subject"),
        ({"subject": "CN=a"}, "--subject is given without --certificate-roots"),
        ({"identity": "me"}, "--cert-identity is given without --cert-oidc-issuer"),
        ({"issuer": "https://issuer.example", "key": "a"}, "--cert-oidc-issuer is given without --cert-identity"),
    ],
)
def test_half_a_rule_on_the_command_line_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        adhoc_trust(**given)


def test_no_trust_on_the_command_line_is_no_rule() -> None:
    assert adhoc_trust() == ()
