"""Secrets of every kind that the hook knows, made anew: each is the content of a file, by the file's name."""

from __future__ import annotations

import base64
import json
import sqlite3
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

SECRET = "corr-ect-horse-7-battery"  # noqa: S105 - of nothing
_B64 = base64.b64encode(bytes(range(7, 207))).decode()
_WORD = "Zq3vT9xLmN2bK8rJ5wYcHd7fGs4aPeUo"
"""Letters and digits as in tokens, of no service."""
_LOCKED = BestAvailableEncryption(SECRET.encode())
_PKCS8, _TRADITIONAL, _OPENSSH = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH
_DER = Encoding.DER

_RSA, _EC, _ED25519 = (
    rsa.generate_private_key(65537, 2048),
    ec.generate_private_key(ec.SECP256R1()),
    ed25519.Ed25519PrivateKey.generate(),
)


def _bytes(
    key: Any,  # noqa: ANN401 - a private key of any kind
    form: PrivateFormat,
    encoding: Encoding = Encoding.PEM,
    lock: KeySerializationEncryption | None = None,
) -> bytes:
    return bytes(key.private_bytes(encoding, form, lock or NoEncryption()))


_PEM = _bytes(_RSA, _PKCS8)


def _folded(data: bytes) -> bytes:
    """Return Base64 as the program `base64` writes it."""
    text = base64.b64encode(data)
    return b"\n".join(text[at : at + 76] for at in range(0, len(text), 76))


def private_keys() -> dict[str, bytes]:
    """Return keys in files and in text."""
    return {**_armoured_keys(), **_keys_in_text(), **_binary_keys()}


def _armoured_keys() -> dict[str, bytes]:
    """Return keys in the textual forms in which programs keep them."""
    return {
        "pkcs8.pem": _PEM,
        "pkcs8-encrypted.pem": _bytes(_RSA, _PKCS8, lock=_LOCKED),
        "rsa.pem": _bytes(_RSA, _TRADITIONAL),
        "rsa-encrypted.pem": _bytes(_RSA, _TRADITIONAL, lock=_LOCKED),
        "ec.pem": _bytes(_EC, _TRADITIONAL),
        "ed25519.pem": _bytes(_ED25519, _PKCS8),
        "dsa.pem": _bytes(dsa.generate_private_key(2048), _TRADITIONAL),
        "id_ed25519": _bytes(_ED25519, _OPENSSH),
        "id_rsa": _bytes(_RSA, _OPENSSH),
        "cosign.key": f"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{_B64}\n-----END ENCRYPTED".encode(),
        "pgp.asc": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{_B64}\n=abcd\n-----END PGP".encode(),
        "ssh2": f'---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "x"\n{_B64}\n---- END SSH2'.encode(),
        "key.ppk": f"PuTTY-User-Key-File-3: ssh-ed25519\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\n{_B64}\n".encode(),
        "age.txt": b"# created\nAGE-SECRET-KEY-1QQPQZRFR7ZZ2WCVXSHJ0KLMNAGE5DT3GE2V8UYR0WZ7N8C9D0E1F2G3H4J5K",
        "minisign.key": f"untrusted comment: minisign encrypted secret key\n{_B64}\n".encode(),
        "signify.sec": f"untrusted comment: release secret key\n{_B64[:140]}\n".encode(),
        "bare-minisign.txt": b"key = " + base64.b64encode(b"EdScB2" + bytes(range(152))),
        "open-minisign.key": b"untrusted comment: mine\n" + base64.b64encode(b"Ed\0\0B2" + bytes(range(152))),
        "cosign.old": f"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n{_B64}\n-----END ENCRYPTED".encode(),
    }


def _keys_in_text() -> dict[str, bytes]:
    """Return keys in other line ends and character sets, and inside of other files."""
    return {
        "windows.pem": _PEM.replace(b"\n", b"\r\n"),
        "powershell.pem": _PEM.decode().encode("utf-16"),
        "service-account.json": json.dumps({"type": "service_account", "private_key": _PEM.decode()}).encode(),
        "program.py": b'KEY = (\n    "' + b'\\n"\n    "'.join(_PEM.splitlines()) + b'"\n)\n',
        "settings.yml": b"key: |\n  " + _PEM.replace(b"\n", b"\n  "),
        "plain-utf-16.txt": _PEM.decode().encode("utf-16-le"),
        "big-endian.txt": _PEM.decode().encode("utf-16-be"),
        "four-bytes.txt": _PEM.decode().encode("utf-32"),
        "secret.yaml": b"data:\n  tls.key: " + base64.b64encode(_PEM),
        "folded.env": b"KEY=" + _folded(_bytes(_RSA, _TRADITIONAL, _DER)),
        "folded-encrypted.txt": _folded(_bytes(_RSA, _PKCS8, _DER, _LOCKED)).replace(b"\n", b"\r\n"),
        "folded-pem.b64": _folded(_PEM),
        "escaped.json": b'{"key": "' + _folded(_bytes(_RSA, _TRADITIONAL, _DER)).replace(b"\n", b"\\n") + b'"}',
        "variable.env": b"SIGNING_KEY=" + base64.b64encode(_bytes(_RSA, _PKCS8, _DER)),
        "jwk.json": json.dumps(_jwk(), indent=2).encode(),
        "jwk.js": f"const key = {{kty: 'EC', crv: 'P-256', d: '{_jwk()['d']}'}};".encode(),
        "jwk.yaml": f"keys:\n  - kty: EC\n    d: {_jwk()['d']}\n".encode(),
        "jwk.env": b"KEY=" + json.dumps(json.dumps(_jwk())).encode(),
        "jwk.b64": base64.b64encode(json.dumps(_jwk()).encode()),
        "url-safe.env": b"KEY=" + base64.urlsafe_b64encode(_bytes(_RSA, _PKCS8, _DER)).rstrip(b"="),
        "service-account.b64": base64.b64encode(
            json.dumps({"type": "service_account", "private_key": _PEM.decode()}).encode()
        ),
        "nested.yaml": b"a:\n  key: |\n"
        + b"".join(b" " * 40 + line + b"\n" for line in _folded(_bytes(_EC, _PKCS8, _DER, _LOCKED)).splitlines()),
        "key.xml": f"<RSAKeyValue><Modulus>x</Modulus><D>{_B64}</D></RSAKeyValue>".encode(),
    }


def _binary_keys() -> dict[str, bytes]:
    """Return keys in DER, and in the formats of programs that write no text."""
    return {
        "rsa-pkcs8.bin": _bytes(_RSA, _PKCS8, _DER),
        "ec-pkcs8.bin": _bytes(_EC, _PKCS8, _DER),
        "ed25519.bin": _bytes(_ED25519, _PKCS8, _DER),
        "encrypted.bin": _bytes(_RSA, _PKCS8, _DER, _LOCKED),
        "rsa.bin": _bytes(_RSA, _TRADITIONAL, _DER),
        "ec.bin": _bytes(_EC, _TRADITIONAL, _DER),
        "identity": b"SSH PRIVATE KEY FILE FORMAT 1.1\n\0" + bytes(64),
        "authenticode.pvk": b"\x1e\xf1\xb5\xb0" + bytes(64),
        "strong.snk": b"\x07\x02\x00\x00\x00\x24\x00\x00RSA2" + bytes(64),
        "0A1B.key": b"(21:protected-private-key(3:rsa" + bytes(64),
        "0A1C.key": b"Created: 20260101T000000\nKey: (protected-private-key (rsa (n #00#)))\n",
        "secring.gpg": b"\x95\x00\x40\x04\x60\x00\x00\x00\x01" + bytes(0x40),
    }


def _jwk() -> dict[str, str]:
    secret = base64.urlsafe_b64encode(_EC.private_numbers().private_value.to_bytes(32)).decode().rstrip("=")
    return {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "d": secret}


def keystores() -> dict[str, bytes]:
    """Return what keeps keys, and tokens."""
    pfx = pkcs12.serialize_key_and_certificates(b"x", _EC, None, None, _LOCKED)
    java = struct.pack(">IIII", 0xFEEDFEED, 2, 1, 1) + b"\0\5alias" + bytes(100)
    return {
        "codesign.pfx": pfx,
        "renamed.dat": pfx,
        "certutil.txt": b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(pfx) + b"-----END CERTIFICATE-----\n",
        "windows-certificate.txt": b"WINDOWS_CERTIFICATE=" + base64.b64encode(pfx),
        "store.jks": java,
        "store.jceks": b"\xce\xce\xce\xce" + java[4:],
        "store.bks": struct.pack(">II", 2, 20) + bytes(20) + struct.pack(">I", 1024) + bytes(100),
        "login.keychain": b"kych\x00\x01\x00\x00" + bytes(100),
        "passwords.kdbx": b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + bytes(100),
        "key4.db": _database("CREATE TABLE nssPrivate (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0)"),
        "key3.db": b"\x00\x06\x15\x61" + bytes(100) + b"global-salt" + bytes(10),
        "release.token": _database("PRAGMA application_id = 0x48535431"),
        "sqlite3.db": _database("CREATE TABLE attribute_binary (x)", "CREATE TABLE attribute_text (x)"),
        "5d5e.object": _softhsm_object(3),
    }


def literals() -> dict[str, bytes]:
    """Return what is written out where only its source belongs."""
    return {
        "pyproject.toml": f'key = "pkcs11:token=a;object=b?pin-value={SECRET}"'.encode(),
        "encoded.toml": b'key = "pkcs11:token=a;object=b?module-path=/x&pin-value=%31%32%33%34"',
        "hatch-sign.toml": b'key = "pkcs11:token=a?pin-source=123456"',
        "release.sh": f"export HATCH_SIGN_PIN={SECRET}\n".encode(),
        "ci.yml": f"env:\n  HATCH_SIGN_PIN: {SECRET}\n".encode(),
        "conftest.py": f'os.environ["HATCH_SIGN_SO_PIN"] = "{SECRET}"\n'.encode(),
        "test_it.py": f'monkeypatch.setenv("COSIGN_PKCS11_PIN", "{SECRET}")\n'.encode(),
        "cosign.env": f"COSIGN_PASSWORD='{SECRET}'\n".encode(),
        "twine.ps1": f'$env:TWINE_PASSWORD = "{SECRET}"\n'.encode(),
        ".pypirc": f"[pypi]\nusername = me\npassword = {SECRET}\n".encode(),
        "pypirc.txt": f"[distutils]\nindex-servers =\n    pypi\n[pypi]\npassword: {SECRET}\n".encode(),
        "notes.md": f"the token is pypi-AgEIcHlwaS5vcmc{_WORD * 3}\n".encode(),
        "hub.txt": f"gh{'p'}_{_WORD}Wx9z\n".encode(),
        "hub2.txt": f"github{'_'}pat_{_WORD}_{_WORD}\n".encode(),
        "lab.txt": f"glpat{'-'}{_WORD[:20]}\n".encode(),
        "vault.env": f"VAULT_TOKEN=hvs{'.'}{_WORD}\n".encode(),
        "credentials": f"[default]\naws_secret_access_key = {_WORD}{'/Q1w2E3r'}\n".encode(),
        "azure.env": f"AZURE_CLIENT_SECRET={SECRET}\n".encode(),
        **_environments(),
        **_command_lines(),
    }


def _environments() -> dict[str, bytes]:
    """Return variables as containers, shells and programs are given them."""
    return {
        "Dockerfile": f"FROM x\nENV HATCH_SIGN_PIN={SECRET}\n".encode(),
        "Dockerfile.arg": f'ARG HATCH_SIGN_PIN="{SECRET}"\n'.encode(),
        "Dockerfile.old": f"ENV HATCH_SIGN_PIN {SECRET}\n".encode(),
        "compose.yml": f"    environment:\n      - HATCH_SIGN_PIN={SECRET}\n".encode(),
        "deployment.yaml": f"env:\n  - name: HATCH_SIGN_PIN\n    value: {SECRET}\n".encode(),
        "quoted.yaml": f"env:\n- name: 'HATCH_SIGN_PIN'\r\n  value: \"{SECRET}\"\r\n".encode(),
        "task.json": json.dumps({"environment": [{"name": "HATCH_SIGN_PIN", "value": SECRET}]}, indent=2).encode(),
        "task.tf": f'environment = [{{ name = "HATCH_SIGN_PIN", value = "{SECRET}" }}]'.encode(),
        "web.config": f'<add key="HATCH_SIGN_PIN" value="{SECRET}" />'.encode(),
        "block.yaml": f"env:\n  HATCH_SIGN_PIN: >-\n    {SECRET}\n".encode(),
        "Makefile": f"HATCH_SIGN_PIN ?= {SECRET}\n".encode(),
        "fish": f"set -gx HATCH_SIGN_PIN {SECRET}\n".encode(),
        "login.csh": f"setenv HATCH_SIGN_PIN '{SECRET}'\n".encode(),
        "machine.cmd": f"setx HATCH_SIGN_PIN {SECRET}\r\n".encode(),
        "process.cmd": f'set "HATCH_SIGN_PIN={SECRET}"\r\n'.encode(),
        "profile.ps1": f"[Environment]::SetEnvironmentVariable('HATCH_SIGN_PIN', '{SECRET}')\r\n".encode(),
        "utf-16.ps1": f"$env:HATCH_SIGN_PIN='{SECRET}'\r\n".encode("utf-16"),
        "command.rs": f'Command::new("x").env("HATCH_SIGN_PIN", "{SECRET}")'.encode(),
        "escaped.env": json.dumps(json.dumps({"HATCH_SIGN_PIN": SECRET})).encode(),
        "aws.ts": f"const secretAccessKey = '{_WORD}{'/Q1w2E3r'}';".encode(),
    }


def _command_lines() -> dict[str, bytes]:
    """Return what programs that sign were given."""
    return {
        "sign.cmd": f"signtool.exe sign /f a.pfx /p {SECRET} /tr https://tsa.example x.exe\r\n".encode(),
        "continued.cmd": f'"%KIT%\\signtool" sign ^\r\n  /f a.pfx ^\r\n  /p "{SECRET}" x.exe\r\n'.encode(),
        "container.cmd": f'signtool sign /csp "eToken" /kc "[{{{{{SECRET}}}}}]=name" x.exe\n'.encode(),
        "call.py": f'run(["signtool", "sign", "/f", "a.pfx", "/p", "{SECRET}", name])\n'.encode(),
        "jsign.sh": f"jsign --keystore a.p12 \\\n  --storepass '{SECRET}' x.exe\n".encode(),
        "build.xml": f'<jsign file="x.exe" keystore="a.p12" storepass="{SECRET}"/>'.encode(),
        "ossl.sh": f"osslsigncode sign -pkcs12 a.p12 -pass {SECRET} -in a -out b\n".encode(),
        "azure.ps1": f"AzureSignTool sign -kvu https://vault.example -kvs {SECRET} x.exe\n".encode(),
        "jar.sh": f"jarsigner -keystore a.jks -storepass {SECRET} x.jar alias\n".encode(),
        "token.sh": f"pkcs11-tool --login --pin {SECRET} --sign\n".encode(),
    }


@cache
def all_planted() -> dict[str, bytes]:
    """Return every secret, each by a name of its own."""
    return {**private_keys(), **keystores(), **literals()}


def _database(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "database")
        connection = sqlite3.connect(path)
        for statement in (*statements, "CREATE TABLE filled (x)"):
            connection.execute(statement)
        connection.commit()
        connection.close()
        return path.read_bytes()


def _softhsm_object(class_: int) -> bytes:
    """Return an object as SoftHSM 2 writes it: a counter, then a class, a truth value and a label."""
    label = struct.pack(">QQQ", 3, 3, 4) + b"sign"
    return struct.pack(">Q", 7) + struct.pack(">QQQ", 0, 2, class_) + struct.pack(">QQB", 1, 1, 1) + label
