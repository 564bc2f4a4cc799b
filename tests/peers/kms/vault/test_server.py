"""What OpenBao's real server does that no stand-in would: logins, namespaces, policies, quotas, versions, certificates."""

from __future__ import annotations

import base64
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.custody.private_key import as_private_key
from hatch_sign.testing.observed import ObservedContext, assert_presentable
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import CustodyError, KeyNotFoundError, SecretRejectedError
from hatch_sign.values.public_keys import encode_public_key_pem
from hatch_sign_kms.vault import VaultBackend
from tests.peers.kms.faults import proxied
from tests.peers.kms.vault.rig import Server, openbao, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.custody.private_key import PrivateKey

SIGNS = ("read on transit/keys/release", "update on transit/sign/release")
POLICY = "".join('path "{2}" {{ capabilities = ["{0}"] }}\n'.format(*rule.split()) for rule in SIGNS)
MESSAGE = b"what is released"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openbao(tmp_path_factory.mktemp("openbao")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")  # requests reads it in the environment of the process
        server.make_key("release", "ecdsa-p256")
        server.ask("POST", "sys/policies/acl/signs", {"policy": POLICY})
        yield server


def context_of(environ: Mapping[str, str]) -> ObservedContext:
    return ObservedContext(RunContext(environ, on_warning=pytest.fail))


def sign(environ: Mapping[str, str], reference: str = "openbao://release") -> CheckedSigner:
    with open_signer(VaultBackend(), reference, context_of(environ)) as checked:
        assert checked.sign(MESSAGE, Scheme.ECDSA_SHA256)
    return checked


# --- logins -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def approle(server: Server, tmp_path: Path) -> dict[str, str]:
    if "approle/" not in server.ask("GET", "sys/auth")["data"]:
        server.ask("POST", "sys/auth/approle", {"type": "approle"})
    server.ask("POST", "auth/approle/role/release", {"token_policies": ["signs"]})
    role = server.ask("GET", "auth/approle/role/release/role-id")["data"]["role_id"]
    secret = server.ask("POST", "auth/approle/role/release/secret-id")["data"]["secret_id"]
    return {"BAO_ADDR": server.url, "HOME": str(tmp_path), "BAO_ROLE_ID": role, "BAO_SECRET_ID": secret}


@pytest.fixture
def jwt(server: Server, tmp_path: Path) -> dict[str, str]:
    issuer = ec.generate_private_key(ec.SECP256R1())
    if "jwt/" not in server.ask("GET", "sys/auth")["data"]:
        server.ask("POST", "sys/auth/jwt", {"type": "jwt"})
    pem = encode_public_key_pem(issuer.public_key()).decode()
    server.ask("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [pem]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["release"], "token_policies": ["signs"]}
    server.ask("POST", "auth/jwt/role/release", role)
    file = tmp_path / "id-token"
    file.write_text(make_jwt(issuer, aud="release"))
    file.chmod(0o600)
    common = {"BAO_ADDR": server.url, "HOME": str(tmp_path), "BAO_AUTH_ROLE": "release"}
    return {**common, "BAO_ID_TOKEN_FILE": str(file)}


def make_jwt(issuer: ec.EllipticCurvePrivateKey, **claims: str) -> str:
    """Return an ES256 token (RFC 7518 §3.4) as a continuous integration hands out, good for a minute."""
    now = int(time.time())
    content = {"sub": "job", "iat": now, "nbf": now - 5, "exp": now + 60, **claims}
    signed = ".".join(_segment(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "JWT"}, content))
    r, s = decode_dss_signature(issuer.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_segment(r.to_bytes(32) + s.to_bytes(32))}"


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("kind", ["approle", "jwt"])
def test_a_login_signs_and_its_token_ends_with_the_run(
    server: Server, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hatch_sign_kms.vault.connection import Connection  # noqa: PLC0415 - to see the token, which nobody else shows

    tokens: list[str] = []
    log_out = Connection.log_out

    def observe(self: Connection) -> None:
        tokens.append(self.adapter.token)
        assert server.knows(tokens[-1])
        log_out(self)

    monkeypatch.setattr(Connection, "log_out", observe)
    sign(request.getfixturevalue(kind))
    assert tokens
    assert not any(map(server.knows, tokens))


@pytest.mark.parametrize(("kind", "secret"), [("approle", "BAO_SECRET_ID"), ("jwt", "BAO_ID_TOKEN")])
def test_a_wrong_login_is_tried_once(server: Server, kind: str, secret: str, request: pytest.FixtureRequest) -> None:
    wrong = make_jwt(ec.generate_private_key(ec.SECP256R1()), aud="release")
    environ = {**request.getfixturevalue(kind), secret: wrong}
    environ.pop("BAO_ID_TOKEN_FILE", None)
    with proxied(server.url) as proxy:
        context = context_of({**environ, "BAO_ADDR": proxy.url})
        for _ in range(2):
            with pytest.raises(SecretRejectedError, match=r"did not accept the login|refused earlier in this run") as caught:
                VaultBackend().open("openbao://release", context).__enter__()
            assert_presentable(caught.value, [wrong])
        assert proxy.count("/login") == 1


def test_an_expired_token_is_said(server: Server, tmp_path: Path) -> None:
    made = server.ask("POST", "auth/token/create", {"policies": ["signs"], "ttl": "1s", "renewable": False})
    time.sleep(1.5)
    environ = settings(server.url, tmp_path, made["auth"]["client_token"])
    with pytest.raises(SecretRejectedError, match="did not accept the credential: it is wrong, or has expired"):
        sign(environ)


def test_a_token_that_is_revoked_in_the_middle_is_said(server: Server, tmp_path: Path) -> None:
    token = server.make_token(*SIGNS)
    context = context_of(settings(server.url, tmp_path, token))
    with open_signer(VaultBackend(), "openbao://release", context) as checked:
        assert checked.sign(MESSAGE, Scheme.ECDSA_SHA256)
        server.ask("POST", "auth/token/revoke", {"token": token})
        with pytest.raises(SecretRejectedError, match="it is wrong, or has expired") as caught:
            checked.sign(MESSAGE, Scheme.ECDSA_SHA256)
        assert_presentable(caught.value, [token])
    assert len(context.rejections) == 1


# --- policies, quotas, namespaces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (SIGNS[1:], "read on transit/keys/release"),
        (SIGNS[:1], "update on transit/sign/release"),
        (("read on transit/keys/*", "update on transit/sign/other"), "update on transit/sign/release"),
    ],
)
def test_the_missing_capability_is_named(server: Server, tmp_path: Path, rules: tuple[str, ...], missing: str) -> None:
    with pytest.raises(CustodyError, match=f"refused \\(403\\); the permission {missing} is missing") as caught:
        sign(settings(server.url, tmp_path, server.make_token(*rules)))
    assert type(caught.value) is CustodyError


def test_the_least_policy_signs(server: Server, tmp_path: Path) -> None:
    sign(settings(server.url, tmp_path, server.make_token(*SIGNS)))


def test_a_quota_is_waited_for(server: Server, tmp_path: Path) -> None:
    quota = {"rate": 8, "interval": "1s", "path": "transit/sign/release"}
    server.ask("POST", "sys/quotas/rate-limit/slow", quota)
    try:
        with open_signer(VaultBackend(), "openbao://release", context_of(settings(server.url, tmp_path))) as checked:
            threads = [
                threading.Thread(target=lambda: made.append(checked.sign(MESSAGE, Scheme.ECDSA_SHA256))) for _ in range(20)
            ]
            made: list[bytes] = []
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(made) == 20
    finally:
        server.ask("DELETE", "sys/quotas/rate-limit/slow")


def test_a_key_of_a_namespace_is_found_there_only(server: Server, tmp_path: Path) -> None:
    server.ask("POST", "sys/namespaces/team")
    inside = {"X-Vault-Namespace": "team"}
    server.ask("POST", "sys/mounts/signing/keys", {"type": "transit"}, **inside)
    server.ask("POST", "signing/keys/keys/apart", {"type": "ecdsa-p256"}, **inside)
    environ = {**settings(server.url, tmp_path), "TRANSIT_SECRET_ENGINE_PATH": "signing/keys"}
    sign({**environ, "BAO_NAMESPACE": "team"}, "openbao://apart")
    with pytest.raises(KeyNotFoundError, match="has no such engine or login"):
        sign(environ, "openbao://apart")


# --- versions and kinds -------------------------------------------------------------------------------------------------


def test_a_version_can_be_named_and_no_other_signs(server: Server, tmp_path: Path) -> None:
    server.make_key("versions", "ecdsa-p256")
    server.ask("POST", "transit/keys/versions/rotate")
    environ = settings(server.url, tmp_path)
    context = context_of(environ)
    keys = []
    for reference in ("openbao://versions?version=1", "openbao://versions?version=2", "openbao://versions"):
        with open_signer(VaultBackend(), reference, context) as checked:
            assert checked.sign(MESSAGE, Scheme.ECDSA_SHA256)
            keys.append(checked.public_key)
    assert keys[0] != keys[1] == keys[2]
    with pytest.raises(KeyNotFoundError, match="has no version 3 of the key"):
        sign(environ, "openbao://versions?version=3")
    server.ask("POST", "transit/keys/versions/config", {"min_encryption_version": 2})
    with pytest.raises(CustodyError, match="does not sign with so old a version of the key"):
        sign(environ, "openbao://versions?version=1")


@pytest.mark.parametrize(
    ("kind", "options", "phrase"),
    [
        ("aes256-gcm96", {}, "the key is not one that signs releases"),
        ("hmac", {"key_size": 32}, "the key is not one that signs releases"),
        ("ed25519", {"derived": True}, "the key is not one that signs releases"),
    ],
)
def test_keys_for_other_things_are_refused_and_not_listed(
    server: Server, tmp_path: Path, kind: str, options: dict[str, object], phrase: str
) -> None:
    server.make_key(f"other-{kind}", kind, **options)
    context = context_of(settings(server.url, tmp_path))
    with pytest.raises(Exception, match=phrase):
        VaultBackend().open(f"openbao://other-{kind}", context).__enter__()
    listed = {key.label for key in VaultBackend().list_keys("openbao://", context)}
    assert "release" in listed
    assert f"other-{kind}" not in listed


def test_what_may_be_exported_says_so(server: Server, tmp_path: Path) -> None:
    server.make_key("loose", "ecdsa-p256", exportable=True, allow_plaintext_backup=True)
    (key,) = VaultBackend().list_keys("openbao://loose", context_of(settings(server.url, tmp_path)))
    assert "may be exported" in key.protection.summary
    assert (key.protection.claims["exportable"], key.protection.claims["plaintext backup"]) == ("true", "true")


def test_certificates_belong_to_one_version(server: Server, tmp_path: Path) -> None:
    server.make_key("certified", "ecdsa-p256")
    context, backend = context_of(settings(server.url, tmp_path)), VaultBackend()
    with open_signer(backend, "openbao://certified", context) as checked:
        certificate = _certify(as_private_key(checked))
    backend.import_certificate("openbao://certified", [certificate], context)
    server.ask("POST", "transit/keys/certified/rotate")
    (first,) = backend.list_keys("openbao://certified?version=1", context)
    (latest,) = backend.list_keys("openbao://certified", context)
    assert first.certificates == (certificate,)
    assert latest.certificates == ()
    with pytest.raises(CustodyError, match=r"openbao://certified: OpenBao does not take the certificates \(500\)"):
        backend.import_certificate("openbao://certified", [_certify(private_key(KeyAlgorithm.ECDSA_P384))], context)


def _certify(key: PrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example Ltd")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1000)
    now = datetime.now(UTC)
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    assert certificate.public_bytes(Encoding.PEM)
    return certificate
