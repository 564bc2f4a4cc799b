from __future__ import annotations

import pytest

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_sigstore.signing.reference import SigstoreReference, parse_sigstore_reference


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("sigstore:", SigstoreReference("sigstore")),
        ("sigstore:staging", SigstoreReference("sigstore:staging", staging=True)),
        ("sigstore:?trust-config=a%20b.json", SigstoreReference("sigstore", trust_config="a b.json")),
        ("sigstore:?instance=https://tuf.example", SigstoreReference("sigstore", instance="https://tuf.example")),
        ("sigstore:?token-source=env:TOKEN", SigstoreReference("sigstore", token_source="env:TOKEN")),  # noqa: S106 - the name of one
        ("sigstore:?token-source=file:/run/token", SigstoreReference("sigstore", token_source="file:/run/token")),  # noqa: S106 - as above
        (
            "sigstore:staging?rekor-version=2&timeout=1.5",
            SigstoreReference("sigstore:staging", staging=True, rekor_version=2, timeout=1.5),
        ),
        (
            "sigstore:?client-id=ours&oidc-issuer=https://sso.example",
            SigstoreReference("sigstore", client_id="ours", oidc_issuer="https://sso.example"),
        ),
    ],
)
def test_a_reference_is_taken_apart(reference: str, expected: SigstoreReference) -> None:
    assert parse_sigstore_reference(reference) == expected


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("sigstore:production", "no Sigstore instance of that name"),
        ("sigstore:?pin-source=env:PIN", "it has no PIN"),
        ("sigstore:?trustconfig=a", "`trustconfig` is not a setting"),
        ("sigstore:staging?trust-config=a", "it names two instances, staging and `trust-config`"),
        ("sigstore:?instance=https://a&trust-config=b", "it names two instances, `trust-config` and `instance`"),
        ("sigstore:?trust-config=", "`trust-config` is empty"),
        ("sigstore:?instance=http://tuf.example", "expected an https address"),
        ("sigstore:?instance=http://localhost.example.com", "expected an https address"),
        ("sigstore:?instance=http://evil.example%5C@localhost", "expected an https address"),
        ("sigstore:?instance=http://user:secret@tuf.example", "`instance` is http://tuf.example, expected an https address"),
        ("sigstore:?oidc-issuer=ftp://sso.example", "expected an https address"),
        ("sigstore:?rekor-version=3", "`rekor-version` is 3, expected 1 or 2"),
        ("sigstore:?timeout=0", "`timeout` is 0, expected seconds"),
        ("sigstore:?timeout=1e3", "`timeout` is 1e3, expected seconds"),
        ("sigstore:?token-source=keyring:a/b", "its `token-source` is neither env:NAME nor file:PATH"),
        ("sigstore:?token-source=env:", "its `token-source` is neither env:NAME nor file:PATH"),
    ],
)
def test_a_mistake_in_a_reference_is_named(reference: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_sigstore_reference(reference)
    assert message in caught.value.message


def test_a_token_in_a_reference_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_sigstore_reference("sigstore:?token-source=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")
    assert "eyJ" not in str(caught.value)
