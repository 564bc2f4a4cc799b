"""References, addresses and logins of Vault and OpenBao: what is read from where, and what goes to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_kms.vault.login import choose_login
from hatch_sign_kms.vault.reference import is_name, parse_vault_reference, require_name
from hatch_sign_kms.vault.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign_kms.vault.login import Login

ADDRESS = "https://vault.example:8200"

# --- references ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "name", "version", "pin_source"),
    [
        ("hashivault://release", "release", None, None),
        ("openbao://a", "a", None, None),
        ("hashivault://team-1.release_key", "team-1.release_key", None, None),
        ("openbao://release?version=12", "release", 12, None),
        ("hashivault://release?pin-source=file:/run/token&version=1", "release", 1, "file:/run/token"),
        ("openbao://", None, None, None),
    ],
)
def test_cosigns_references_are_taken(reference: str, name: str | None, version: int | None, pin_source: str | None) -> None:
    parsed = parse_vault_reference(reference)
    assert (parsed.name, parsed.version, parsed.pin_source) == (name, version, pin_source)
    assert parsed.text == reference.partition("?")[0]


@pytest.mark.parametrize(
    "rest", ["release", "/release", "//a/b", "//.a", "//a.", "//a b", "//../sys/seal", "//a%2fb", "//é", "///a", "//-a"]
)
def test_others_are_not(rest: str) -> None:
    with pytest.raises(ConfigurationError, match="not the name of a transit key"):
        parse_vault_reference(f"hashivault:{rest}")


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "latest", "", "1" * 10])
def test_a_version_is_a_number_from_1(version: str) -> None:
    with pytest.raises(ConfigurationError, match="its version is not a number from 1"):
        parse_vault_reference(f"openbao://release?version={version}")


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="`mount` is not a setting of openbao references"):
        parse_vault_reference("openbao://release?mount=transit")


def test_a_whole_mount_is_no_key() -> None:
    assert require_name(parse_vault_reference("openbao://release")) == "release"
    with pytest.raises(ConfigurationError, match="the reference names no key"):
        require_name(parse_vault_reference("openbao://"))


@pytest.mark.parametrize("name", ["../../sys/seal", "a/b", "", "a?x", "a\n"])
def test_what_a_server_lists_may_be_no_name(name: str) -> None:
    assert is_name("release")
    assert not is_name(name)


# --- addresses ----------------------------------------------------------------------------------------------------------


def test_each_scheme_reads_the_variables_of_its_own_tools() -> None:
    environ = {"VAULT_ADDR": ADDRESS, "BAO_ADDR": "https://bao.example"}
    assert read_settings("hashivault", environ).address == ADDRESS
    assert read_settings("openbao", environ).address == "https://bao.example"


@pytest.mark.parametrize("scheme", ["hashivault", "openbao"])
def test_a_token_never_goes_to_the_server_of_the_other(scheme: str) -> None:
    for family, other in (("VAULT", "BAO"), ("BAO", "VAULT")):
        settings = read_settings(scheme, {f"{family}_ADDR": ADDRESS, f"{other}_TOKEN": "a-token", f"{other}_CACERT": "x"})
        assert settings.family == family
        assert settings.get("TOKEN") is None
        assert settings.verify is True


def test_the_rest_of_the_settings() -> None:
    environ = {
        "VAULT_ADDR": f"{ADDRESS}/",
        "VAULT_CACERT": "authority.pem",
        "VAULT_CLIENT_CERT": "client.pem",
        "VAULT_CLIENT_KEY": "client.key",
        "TRANSIT_SECRET_ENGINE_PATH": "/team a/transit/",
    }
    settings = read_settings("hashivault", environ)
    assert settings.address == ADDRESS
    assert settings.mount == "team%20a/transit"
    assert settings.verify == "authority.pem"
    assert settings.client_certificate == ("client.pem", "client.key")
    plain = read_settings("hashivault", {"VAULT_ADDR": ADDRESS})
    assert (plain.mount, plain.verify, plain.client_certificate) == ("transit", True, None)


@pytest.mark.parametrize("scheme", ["hashivault", "openbao"])
def test_no_address_is_said(scheme: str) -> None:
    first = {"hashivault": "VAULT_ADDR", "openbao": "BAO_ADDR"}[scheme]
    with pytest.raises(ConfigurationError, match=f"is not set; set {first}"):
        read_settings(scheme, {"VAULT_TOKEN": "x", "BAO_ADDR": ""})


SWALLOWING = ["https://vault.example?x=1", "https://vault.example/#here", "https://vault.example/?"]
"""What follows the question mark or the number sign is no path."""
NONE = ["vault.example:8200", "ftp://vault", "https://", "https://a:b", "/run/vault.sock"]


@pytest.mark.parametrize("address", [*NONE, *SWALLOWING])
def test_an_address_that_is_none_is_said(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"VAULT_ADDR is .*, which is not the address of a server"):
        read_settings("hashivault", {"VAULT_ADDR": address})


@pytest.mark.parametrize("rest", ["vault.example", "vault.example:port", "[::1", ""])
def test_a_password_in_the_address_is_refused_and_not_repeated(rest: str) -> None:
    password = str(70_815)  # Not in one piece here: a traceback shows this line.
    with pytest.raises(ConfigurationError, match="VAULT_ADDR holds a password") as caught:
        read_settings("hashivault", {"VAULT_ADDR": f"https://me:{password}@{rest}"})
    assert_presentable(caught.value, [password])


@pytest.mark.parametrize(
    ("address", "exposed"),
    [
        ("https://vault.example", False),
        ("http://127.0.0.1:8200", False),
        ("http://[::1]:8200", False),
        ("http://localhost:8200", False),
        ("http://vault.example:8200", True),
        ("http://10.0.0.1", True),
        ("http://127.0.0.1.example", True),
    ],
)
def test_a_token_in_clear_is_noticed(address: str, exposed: bool) -> None:  # noqa: FBT001 - a column of the table
    assert read_settings("hashivault", {"VAULT_ADDR": address}).exposed is exposed


# --- logins -------------------------------------------------------------------------------------------------------------


def login(reference: str = "hashivault://release", **environ: str) -> Login:
    parsed = parse_vault_reference(reference)
    return choose_login(parsed, read_settings(parsed.scheme, {"VAULT_ADDR": ADDRESS, **environ}))


ROLE = {"VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "secret"}
JWT = {"VAULT_AUTH_ROLE": "release", "VAULT_ID_TOKEN": "jwt"}


def test_a_token_wins_over_every_login() -> None:
    chosen = login(VAULT_TOKEN="token", **ROLE, **JWT)  # noqa: S106 - not one
    assert chosen.path is None
    assert chosen.request.variables == ("VAULT_TOKEN",)
    named = login("hashivault://release?pin-source=env:MINE", VAULT_TOKEN="token", **ROLE)  # noqa: S106 - as above
    assert named.request.source == "env:MINE"


def test_an_approle_wins_over_a_jwt() -> None:
    chosen = login(**ROLE, **JWT)
    assert (chosen.path, chosen.fields, chosen.secret_field) == ("approle", {"role_id": "role"}, "secret_id")
    assert chosen.request.variables == ("VAULT_SECRET_ID",)
    assert login(**ROLE, VAULT_AUTH_PATH="/teams/approle/").path == "teams/approle"


def test_a_jwt_comes_from_the_environment_or_a_file() -> None:
    chosen = login(**JWT)
    assert (chosen.path, chosen.fields, chosen.secret_field) == ("jwt", {"role": "release"}, "jwt")
    assert (chosen.request.variables, chosen.request.source) == (("VAULT_ID_TOKEN",), None)
    filed = login(VAULT_AUTH_ROLE="release", VAULT_AUTH_PATH="kubernetes", VAULT_ID_TOKEN_FILE="/run/token")  # noqa: S106 - as above
    assert (filed.path, filed.request.source) == ("kubernetes", "file:/run/token")


def test_the_token_of_an_earlier_login_is_the_last_resort(tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text("token")
    (tmp_path / "elsewhere").write_text("token")
    assert login(HOME=str(tmp_path), USERPROFILE=str(tmp_path)).request.source == f"file:{tmp_path / '.vault-token'}"
    assert login(VAULT_TOKEN_PATH=str(tmp_path / "elsewhere")).request.source == f"file:{tmp_path / 'elsewhere'}"
    assert login(HOME=str(tmp_path), USERPROFILE=str(tmp_path), **ROLE).path == "approle"
    assert login(HOME=str(tmp_path / "nobody"), USERPROFILE="").request.source is None


def test_servers_and_namespaces_have_secrets_of_their_own() -> None:
    labels = {
        login().request.label,
        login(VAULT_NAMESPACE="team").request.label,
        login(**ROLE).request.label,
        login(VAULT_ADDR="https://other.example").request.label,
    }
    assert len(labels) == 4
