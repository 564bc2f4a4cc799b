from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.diagnosis.checks import Examination, exit_code
from hatch_sign.diagnosis.configuration import examine_configuration, expected_of, unreadable_configuration
from hatch_sign.revocation.fetcher import RevocationFetcher
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.protection import ProtectionLevel
from hatch_sign.values.public_keys import as_public_key, encode_public_key_pem

from ...contract.sketch_plugins import sketch_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hatch_sign.configuration.model import Configuration

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RULE = '[[verify.trust]]\npublic-key = "release.pub"\n'


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Configuration]:
    key = as_public_key(private_key(KeyAlgorithm.ECDSA_P256).public_key(), subject="key")
    (tmp_path / "release.pub").write_bytes(encode_public_key_pem(key))

    def load(text: str | None, environ: Mapping[str, str] | None = None) -> Configuration:
        path = None if text is None else tmp_path / "hatch-sign.toml"
        if path is not None:
            path.write_text(text or "")
        return load_configuration(
            path, directory=tmp_path, environ=environ or {}, overrides=Overrides(), registry=sketch_registry()
        )

    return load


def examine(configuration: Configuration, *problems: str, warnings: tuple[str, ...] = ()) -> Examination:
    return examine_configuration(configuration, sketch_registry(), problems=problems, warnings=warnings)


def rows(found: Examination) -> list[tuple[str, str]]:
    return [(check.symptom.status, check.symptom.subject) for check in found.checks]


def test_what_it_names_is_installed(load: Callable[..., Configuration]) -> None:
    text = 'key = "pooled:rsa-3072"\nformats = ["sigstore", "checksums"]\ntimestamp = ["https://tsa.example"]\n'
    found = examine(load(text + RULE))
    assert found.about == "configuration"
    assert [check.symptom.found for check in found.checks[1:4]] == [
        "format.sigstore of hatch-sign 0.1.0",
        "format.checksums of hatch-sign 0.1.0",
        "witness.rfc3161 of hatch-sign 1.0",
    ]
    assert {status for status, _ in rows(found)} == {"ok"}


def test_a_mistake_is_a_failure_and_a_notice_a_warning(load: Callable[..., Configuration]) -> None:
    found = examine(load('key = "pooled:rsa-3072"'), "one", "two", warnings=("soon",))
    assert rows(found)[1:4] == [("failure", "mistake"), ("failure", "mistake"), ("warning", "notice")]
    assert exit_code([found]) == 2


def test_a_configuration_without_a_key_only_verifies(load: Callable[..., Configuration]) -> None:
    found = examine(load(RULE))
    assert rows(found) == [("warning", "file"), ("ok", "required")]
    assert "only verifies" in found.checks[0].symptom.found


def test_no_configuration_is_a_failure_unless_the_environment_names_a_key(load: Callable[..., Configuration]) -> None:
    found = examine(load(None))
    assert rows(found) == [("failure", "file")]
    assert "holds no configuration" in found.checks[0].symptom.found
    assert exit_code([found]) == 2
    named = examine(load(None, {"HATCH_SIGN_KEY": "pooled:rsa-3072"}))
    assert rows(named) == [("warning", "file"), ("ok", "format")]


def test_one_that_cannot_be_read_lists_its_mistakes(load: Callable[..., Configuration]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load('kee = "x"\nformats = ["sigstor"]')
    found = unreadable_configuration(caught.value)
    assert rows(found) == [("failure", "file")] * 2
    assert "kee" in found.checks[0].symptom.found + found.checks[1].symptom.found


@pytest.mark.parametrize(
    ("signatures", "verify", "status"),
    [
        ('formats = ["sigstore"]', "", "ok"),
        ('formats = ["sigstore"]', 'formats = ["statement"]', "failure"),
        ('formats = ["sigstore", "statement"]', 'formats = ["statement"]', "failure"),
        ('formats = ["sigstore"]', 'formats = ["sigstore", "statement"]', "ok"),
        ('formats = ["sigstore"]', 'artifacts = ["*.whl"]', "ok"),
    ],
)
def test_what_is_required_is_within_reach_of_a_rule(
    load: Callable[..., Configuration], signatures: str, verify: str, status: str
) -> None:
    found = examine(load(f'key = "pooled:rsa-3072"\n{signatures}\n[verify]\nrequire = ["sigstore"]\n{RULE}{verify}\n'))
    assert [row for row in rows(found) if row[1] == "required"] == [(status, "required")]
    assert exit_code([found]) == (0 if status == "ok" else 2)


@pytest.mark.parametrize(
    ("require", "rule", "status"),
    [
        ("one", 'signatures = ["one"]', "ok"),
        ("one", 'signatures = ["two"]', "failure"),
        ("two", 'formats = ["statement"]', "ok"),
        ("one", 'formats = ["statement"]', "failure"),
        ("sigstore", 'signatures = ["one"]', "ok"),
        ("sigstore", 'signatures = ["two"]', "failure"),
    ],
)
def test_a_named_signature_is_within_reach_of_a_rule_for_it(
    load: Callable[..., Configuration], require: str, rule: str, status: str
) -> None:
    signatures = '[[signature]]\nname = "one"\nkey = "pooled:rsa-3072"\nformats = ["sigstore"]\n'
    signatures += '[[signature]]\nname = "two"\nkey = "pooled:ed25519"\nformats = ["statement"]\n'
    found = examine(load(f'[verify]\nrequire = ["{require}"]\n{RULE}{rule}\n{signatures}'))
    assert [row for row in rows(found) if row[1] == "required"] == [(status, "required")]


@pytest.mark.parametrize(
    ("rule", "status"), [("", "ok"), ('signatures = ["elsewhere"]', "ok"), ('signatures = ["other"]', "failure")]
)
def test_a_signature_that_is_made_elsewhere_is_known_by_its_name(
    load: Callable[..., Configuration], rule: str, status: str
) -> None:
    text = f'[verify]\nrequire = ["elsewhere"]\nsignatures = ["elsewhere", "other"]\n{RULE}{rule}\n'
    assert rows(examine(load(text)))[1:] == [(status, "required")]


def test_a_key_is_expected_to_do_what_the_configuration_says(load: Callable[..., Configuration]) -> None:
    registry = sketch_registry()
    configuration = load(f'key = "pooled:rsa-3072?pin-source=env:X"\nminimum-protection = "attested"\n{RULE}')
    expected = expected_of(configuration, registry, "pooled:rsa-3072", now=NOW)
    assert expected.signatures == configuration.signatures
    assert expected.minimum_protection is ProtectionLevel.ATTESTED
    assert expected.policy is not None
    assert expected.policy.require == ("sigstore",)
    other = expected_of(configuration, registry, "pooled:ed25519", now=NOW)
    assert (other.signatures, other.minimum_protection, other.policy) == ((), None, None)


def test_what_signs_inside_wheels_is_looked_at_too(load: Callable[..., Configuration]) -> None:
    inside = '[contents]\nkey = "pooled:ed25519"\ntimestamp = ["https://tsa.example"]\nformats = ["toy-container"]\n'
    configuration = load(f'key = "pooled:rsa-3072"\n{inside}{RULE}')
    found = examine(configuration)
    assert rows(found)[:4] == [("ok", "file"), ("ok", "format"), ("ok", "format"), ("ok", "witness")]
    assert configuration.contents is not None
    expected = expected_of(configuration, sketch_registry(), "pooled:ed25519", now=NOW)
    assert expected.signatures == (configuration.contents.signature,)
    assert expected.policy is not None


def test_a_configuration_that_signs_inside_wheels_only_names_a_key(load: Callable[..., Configuration]) -> None:
    text = '[contents]\nkey = "pooled:ed25519"\nformats = ["toy-container"]\n[verify]\nrequire = ["toy-container"]\n'
    assert rows(examine(load(f'{text}{RULE}formats = ["toy-container"]\n'))) == [
        ("ok", "file"),
        ("ok", "format"),
        ("ok", "required"),
    ]
    other = rows(examine(load(f'{text}{RULE}formats = ["sigstore"]\n')))
    assert ("failure", "required") in other


def test_trust_that_is_wrong_is_left_out(load: Callable[..., Configuration]) -> None:
    configuration = load('key = "pooled:rsa-3072"\n[[verify.trust]]\npublic-key = "missing.pub"\n')
    assert expected_of(configuration, sketch_registry(), "pooled:rsa-3072", now=NOW).policy is None


def test_a_rule_may_ask_what_was_revoked(load: Callable[..., Configuration]) -> None:
    source = RevocationFetcher()
    configuration = load(f'key = "pooled:rsa-3072"\n{RULE}')
    for given in (source, None):
        expected = expected_of(configuration, sketch_registry(), "pooled:rsa-3072", now=NOW, revocations=given)
        assert expected.policy is not None
        assert expected.policy.revocations is given
