"""References to keys of Google Cloud KMS, and the addresses that may be called."""

from __future__ import annotations

import pytest

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_kms.google.endpoint import VARIABLE, Endpoint, find_endpoint
from hatch_sign_kms.google.references import parse_google_reference, parse_ring_reference

RING = "projects/example/locations/europe-west1/keyRings/release"
KEY = f"{RING}/cryptoKeys/signing"


def test_a_key_without_a_version() -> None:
    parsed = parse_google_reference(f"gcpkms://{KEY}")
    assert (parsed.text, parsed.ring, parsed.key, parsed.version) == (f"gcpkms://{KEY}", RING, KEY, None)


@pytest.mark.parametrize("word", ["cryptoKeyVersions", "versions"])
def test_a_version_as_cosign_spells_it_now_and_did_before(word: str) -> None:
    assert parse_google_reference(f"gcpkms://{KEY}/{word}/12").version == f"{KEY}/cryptoKeyVersions/12"


def test_a_project_of_a_domain() -> None:
    key = KEY.replace("example", "example.com:tools")
    assert parse_google_reference(f"gcpkms://{key}").key == key


def test_a_key_ring_names_no_key() -> None:
    assert parse_ring_reference(f"gcpkms://{RING}").key is None
    with pytest.raises(ConfigurationError, match="it names a key ring, and no key in it"):
        parse_google_reference(f"gcpkms://{RING}")


@pytest.mark.parametrize(
    "path",
    [
        KEY,
        "//projects/example/keyRings/release/cryptoKeys/signing",
        f"//{KEY}/",
        f"//{KEY}/cryptoKeyVersions/",
        f"//{KEY}/cryptoKeyVersions/0",
        f"//{KEY}/cryptoKeyVersions/latest",
        f"//{KEY}/../../../other",
        f"//{KEY}%2F..",
        f"//{RING}/cryptoKeys/{'a' * 64}",
        f"//evil.example/{KEY}",
    ],
)
def test_another_path_is_refused(path: str) -> None:
    with pytest.raises(
        ConfigurationError, match="it is not the name of a key of Google Cloud KMS; write gcpkms://projects/"
    ):
        parse_google_reference(f"gcpkms:{path}")


def test_there_are_no_settings() -> None:
    with pytest.raises(ConfigurationError, match="`pin-source` is not a setting of gcpkms references"):
        parse_google_reference(f"gcpkms://{KEY}?pin-source=env:PIN")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://cloudkms.europe-west1.rep.googleapis.com/", Endpoint("cloudkms.europe-west1.rep.googleapis.com:443")),
        ("https://CloudKMS-Link1.p.googleapis.com", Endpoint("cloudkms-link1.p.googleapis.com:443")),
        ("https://private.googleapis.com:8443/", Endpoint("private.googleapis.com:8443")),
        ("https://localhost:4000/", Endpoint("localhost:4000")),
        ("http://127.0.0.1:4000/", Endpoint("127.0.0.1:4000", plain=True)),
        ("http://localhost:4000", Endpoint("localhost:4000", plain=True)),
        ("http://[::1]:4000/", Endpoint("[::1]:4000", plain=True)),
        ("http://127.0.0.1/", Endpoint("127.0.0.1:80", plain=True)),
    ],
)
def test_an_address_of_the_users_gcloud(value: str, expected: Endpoint) -> None:
    assert find_endpoint({VARIABLE: value}) == expected


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}])
def test_googles_own_address(environ: dict[str, str]) -> None:
    assert find_endpoint(environ) is None


@pytest.mark.parametrize(
    "value",
    [
        "http://cloudkms.googleapis.com/",
        "https://evil.example/",
        "https://googleapis.com.evil.example/",
        "https://evilgoogleapis.com/",
        "http://10.0.0.1:4000/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example:80/",
    ],
)
def test_no_credential_goes_elsewhere(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"neither a host of googleapis\.com by https nor this machine"):
        find_endpoint({VARIABLE: value})


@pytest.mark.parametrize(
    "value", ["127.0.0.1:4000", "ftp://127.0.0.1/", "https://user@private.googleapis.com/", "http://a/b"]
)
def test_another_form_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is not of the form https://HOST\[:PORT\]/"):
        find_endpoint({VARIABLE: value})
