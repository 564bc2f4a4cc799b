"""References to keys of Azure, and what each kind of key signs by."""

from __future__ import annotations

import pytest

from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import ConfigurationError, UnsupportedError
from hatch_sign_kms.azure.algorithms import ALGORITHMS, kind_to_generate, schemes_of
from hatch_sign_kms.azure.references import parse_azure_reference, parse_vault_reference

VERSION = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("reference", "host", "key", "version"),
    [
        ("azurekms://release.vault.azure.net/signing", "release.vault.azure.net", "signing", None),
        ("azurekms://Release.vault.azure.net/signing/", "release.vault.azure.net", "signing", None),
        (f"azurekms://release.vault.azure.net/signing/{VERSION}", "release.vault.azure.net", "signing", VERSION),
        ("azurekms://127.0.0.1:8443/signing", "127.0.0.1:8443", "signing", None),
        ("azurekms://release.vault.azure.cn/a-1", "release.vault.azure.cn", "a-1", None),
    ],
)
def test_a_key(reference: str, host: str, key: str, version: str | None) -> None:
    parsed = parse_azure_reference(reference)
    assert (parsed.host, parsed.key, parsed.version, parsed.url) == (host, key, version, f"https://{host}")


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("release.vault.azure.net", "Azure Key Vault"),
        ("release.managedhsm.azure.net", "Azure Managed HSM"),
        ("release.managedhsm.usgovcloudapi.net", "Azure Managed HSM"),
        ("managedhsm.example", "Azure Key Vault"),
    ],
)
def test_the_host_says_which_service(host: str, service: str) -> None:
    assert parse_azure_reference(f"azurekms://{host}/signing").service == service


@pytest.mark.parametrize("reference", ["azurekms://release.vault.azure.net", "azurekms://release.vault.azure.net/"])
def test_a_vault_names_no_key(reference: str) -> None:
    assert parse_vault_reference(reference).key is None
    with pytest.raises(ConfigurationError, match="it names a vault, and no key in it"):
        parse_azure_reference(reference)


@pytest.mark.parametrize(
    "rest",
    [
        "release.vault.azure.net/signing",
        "//release/signing",
        "///signing",
        "//release.vault.azure.net/signing/version/more",
        "//release.vault.azure.net/sign_ing",
        "//release.vault.azure.net/signing/UPPER",
        "//release.vault.azure.net/../signing",
        "//release.vault.azure.net:99999999/signing",
        "//release.vault.azure.net\\evil.example/signing",
        "//release.vault.azure.net/signing#fragment",
    ],
)
def test_another_path_is_refused(rest: str) -> None:
    with pytest.raises(ConfigurationError, match="it is not the host of a vault, in full, and the name of a key"):
        parse_azure_reference(f"azurekms:{rest}")


def test_there_are_no_settings() -> None:
    with pytest.raises(ConfigurationError, match="`pin-source` is not a setting of azurekms references"):
        parse_azure_reference("azurekms://release.vault.azure.net/signing?pin-source=env:PIN")


@pytest.mark.parametrize(
    ("kty", "curve", "schemes"),
    [
        ("EC", "P-256", [Scheme.ECDSA_SHA256]),
        ("EC-HSM", "P-384", [Scheme.ECDSA_SHA384]),
        ("EC-HSM", "P-521", [Scheme.ECDSA_SHA512]),
        ("EC", "P-256K", []),
        ("RSA", "", [scheme for scheme in Scheme if scheme.family.startswith("rsa")]),
        ("RSA-HSM", "", [scheme for scheme in Scheme if scheme.family.startswith("rsa")]),
        ("oct-HSM", "", []),
        ("OKP-HSM", "Ed25519", []),
    ],
)
def test_each_kind_signs_by_its_own_schemes(kty: str, curve: str, schemes: list[Scheme]) -> None:
    assert list(schemes_of(kty, curve)) == schemes
    assert set(schemes) <= set(ALGORITHMS)


def test_every_kind_that_is_made_is_made_in_an_hsm() -> None:
    for kind in set(KeyAlgorithm) - {KeyAlgorithm.ED25519}:
        wanted = kind_to_generate(kind, subject="key")
        assert wanted.kty.endswith("-HSM")
        assert set(schemes_of(wanted.kty, wanted.curve or "")) <= set(kind.schemes)
    with pytest.raises(UnsupportedError, match="key: Azure makes no ed25519 keys"):
        kind_to_generate(KeyAlgorithm.ED25519, subject="key")
