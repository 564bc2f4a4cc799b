"""Every planted secret is found and never repeated, and what only looks like one is passed over."""

from __future__ import annotations

import base64
import io
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from hatch_sign_pre_commit import check_secrets, looking
from hatch_sign_pre_commit.check_secrets import main
from hatch_sign_pre_commit.looking import find_secrets
from tests.authority import Authority

from .planted import _EC, _RSA, SECRET, all_planted, keystores, literals, private_keys

if TYPE_CHECKING:
    from hatch_sign_pre_commit.found import Found

PIECE = 128 << 10
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(data: bytes, name: str) -> list[tuple[int, Found]]:
    return list(find_secrets(io.BytesIO(data), name))


def plant(name: str, data: bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        *((name, {"private-key"}) for name in private_keys()),
        *((name, {"keystore", "token-file"}) for name in keystores()),
        *((name, {"pin", "password", "access-token"}) for name in literals()),
    ],
)
def test_each_secret_is_found_once_and_not_repeated(name: str, kinds: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([plant(name, all_planted()[name])]) == 1
    told = capsys.readouterr()
    (line,) = told.out.splitlines()
    place, kind, what = line.split(": ", 2)
    assert place.startswith(f"{name}:")
    assert kind in kinds
    assert "; " in what
    assert SECRET not in told.out + told.err


def test_there_are_more_than_thirty_kinds() -> None:
    told = {found.what for name, data in all_planted().items() for _, found in look(data, name)}
    assert len(told) > 40


@pytest.mark.parametrize("name", sorted({**private_keys(), **keystores()}))
def test_what_is_cut_off_or_damaged_ends_without_a_trace(name: str) -> None:
    data = all_planted()[name]
    for size in (0, 1, 3, 7, 9, 13, 20, 40, len(data) // 2, len(data) - 1):
        look(data[:size], name)
        look(data[:size] + b"\xff" * 40, name)


def test_the_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    main([plant("a.env", b"\n\nHATCH_SIGN_PIN=" + SECRET.encode())])
    assert capsys.readouterr().out.startswith("a.env:3: pin: ")


def test_the_line_of_each_of_many_is_told() -> None:
    data = b"\n".join([b"HATCH_SIGN_PIN=" + SECRET.encode()] * 100_000)
    assert [line for line, _ in look(data, "a.env")] == [*range(1, 100_001)]


def test_a_name_that_reads_as_an_option_is_a_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--", plant("-h", all_planted()["pkcs8.pem"]), plant("--allow-list=x", b"")]) == 1
    assert capsys.readouterr().out.startswith("-h:1: private-key: ")


def test_a_name_that_the_machine_cannot_print_ends_no_search() -> None:
    names = [plant("\N{SNOWMAN}.pem", all_planted()["pkcs8.pem"]), plant("other.pem", all_planted()["pkcs8.pem"])]
    code = (
        "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='cp1252')\n"
        "from hatch_sign_pre_commit.check_secrets import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, *names], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith(b"\\u2603.pem:1: private-key: ")
    assert len(done.stdout.splitlines()) == 2


INNOCENT = {
    "public.pem": _RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "public.der": _EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "rsa-public.der": _RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1),
    "id_rsa.pub": _RSA.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "roots.pem": Authority("Root").pem,
    "root.der": Authority("Root").certificate.public_bytes(Encoding.DER),
    "bundle.p7b": pkcs7.serialize_certificates([Authority("Root").certificate], Encoding.DER),
    "trust.jks": struct.pack(">III", 0xFEEDFEED, 2, 1)
    + struct.pack(">I", 2)
    + b"\0\1a"
    + bytes(8)
    + b"\0\5X.509"
    + struct.pack(">I", 3)
    + b"abc"
    + bytes(20),
    "parser.py": b'BEGIN = "-----BEGIN RSA PRIVATE KEY-----"\nEND = "-----END RSA PRIVATE KEY-----"\n',
    "regex.py": b're.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----(?:[A-Za-z0-9+/=\\s]+)-----END")\n',
    "docs.md": b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7VJTU\n...\n-----END",
    "sample.pem": b"-----BEGIN PRIVATE KEY-----\n" + b"x" * 64 + b"\n-----END PRIVATE KEY-----\n",
    "reference.toml": b'key = "pkcs11:token=release?pin-source=env:HSM_PIN"\nother = "pkcs11:a?pin-source=file:/run/pin"',
    "placeholder.toml": b'key = "pkcs11:token=a?pin-value=$PIN"\nother = "pkcs11:a?pin-value=<PIN>"\n# never pin-value=...',
    "workflow.yml": b"env:\n  HATCH_SIGN_PIN: ${{ secrets.HATCH_SIGN_PIN }}\n  TWINE_PASSWORD: $PASSWORD\n",
    "script.sh": b'export HATCH_SIGN_PIN="$(cat /run/pin)"\nread -r HATCH_SIGN_PIN\nTWINE_PASSWORD=$TOKEN\n',
    "code.py": b'PIN = os.environ["HATCH_SIGN_PIN"]\nrun(HATCH_SIGN_PIN=wrong_pin)\nx = {"HATCH_SIGN_PIN": pin, "a": ""}\n',
    "list.py": b'NAMES = ("HATCH_SIGN_PIN", environ, "HATCH_SIGN_SO_PIN")\nOTHER = ("MY_HATCH_SIGN_PIN=abcdef",)\n',
    "README.md": b"put your PIN into HATCH_SIGN_PIN, or TWINE_PASSWORD; HATCH_SIGN_PIN=your-pin works, too\n",
    ".pypirc": b"[pypi]\nusername = __token__\npassword = ${PYPI_TOKEN}\n",
    "setup.cfg": b"[server]\npassword = hunter2hunter\n",
    "tokens.md": b"they begin with pypi-AgEIcHlwaS5vcmc, ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, github_pat_ or hvs.\n",
    "aws.md": b"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "folded-certificate.txt": base64.encodebytes(Authority("Root").certificate.public_bytes(Encoding.DER)),
    "encoded-certificate.txt": base64.b64encode(Authority("Root").pem),
    "text.utf-16": "a text of no interest, in two bytes a character".encode("utf-16-le"),
    "sops.json": b'{"HATCH_SIGN_PIN": "ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ=,type:str]", "sops": {}}',
    "sops.yaml": b"HATCH_SIGN_PIN: ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ=,type:str]\nsops:\n",
    "sealed.yaml": b"kind: SealedSecret\nspec:\n  encryptedData:\n    HATCH_SIGN_PIN: AgB" + b"y3i4OJSWK" * 40,
    "ansible.yml": b"HATCH_SIGN_PIN: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6638643965\n",
    "reference.env": b"HATCH_SIGN_PIN=op://vault/item/pin\nTWINE_PASSWORD=arn:aws:secretsmanager:eu-west-1:1:secret:x\n",
    "pod.yaml": b"- name: HATCH_SIGN_PIN\n  valueFrom:\n    secretKeyRef:\n      name: pins\n      key: release\n",
    "args.Dockerfile": b"ARG HATCH_SIGN_PIN\nENV HATCH_SIGN_PIN $HATCH_SIGN_PIN\n# ENV HATCH_SIGN_PIN is read by the hook\n",
    "sign.cmd": b'signtool sign /f a.pfx /p %PASSWORD% x.exe\nsigntool sign /f a.pfx /p "MyPassword" /pa x.exe\n',
    "sign.ps1": b"signtool sign /f a.pfx /p $env:PFX_PASSWORD\njsign --storepass env:PASS --keypass ${KEYPASS} x.exe\n",
    "sign.md": b"signtool takes /p PASSWORD, osslsigncode -pass or -readpass; `pkcs11-tool --login --pin 123456`\n",
    "tool.rst": b"jsign --storepass <password>, and ``jarsigner -storepass:env NAME -keypass changeit``\n",
    "token.jwt": base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"JWT","kid":"' + b"k" * 90 + b'"}') + b".e30.c2ln",
    "minisign.pub": b"untrusted comment: minisign public key 9\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n",
    "age.pub": b"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n",
    "age.txt": b"-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA\n-----END AGE",
    "jwk.js": b"const kty = 'EC', d = 'M10 10 L 20 20';\nconst curve = {kty: 'EC', kid: 'a', d: undefined};\n",
    "image.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "jwk.json": b'{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9"}',
    "empty": b"",
    "database.sqlite": b"SQLite format 3\x00" + bytes(200),
    "object": struct.pack(">Q", 7) + struct.pack(">QQQ", 0, 2, 2),
    "ring.gpg": b"\x99\x00\x40\x04\x60\x00\x00\x00\x01" + bytes(0x40),
}
"""Public halves, placeholders, programs that read keys, and documents that speak of them."""


@pytest.mark.parametrize("name", sorted(INNOCENT))
def test_what_is_no_secret_is_passed_over(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([plant(name, INNOCENT[name])]) == 0, capsys.readouterr().out
    assert capsys.readouterr() == ("", "")


def test_the_hooks_find_nothing_in_their_own_source() -> None:
    files = [str(path) for path in (ROOT / "pre_commit_hooks").rglob("*.py")]
    files += [str(path) for path in (ROOT / "hatch_sign").rglob("*.py")]
    assert len(files) > 200
    assert main(files) == 0


def test_links_folders_and_what_is_gone_hold_nothing(tmp_path: Path) -> None:
    target = plant("key.pem", all_planted()["pkcs8.pem"])
    Path("link").symlink_to(target)
    (tmp_path / "folder").mkdir()
    os.mkfifo("pipe")
    assert main(["link", "folder", "gone", "pipe"]) == 0


def test_what_cannot_be_read_stops_it(capsys: pytest.CaptureFixture[str]) -> None:
    Path(plant("closed.pem", b"")).chmod(0)
    Path.cwd().chmod(0o755)
    with without_privileges():
        assert main(["closed.pem", "a" * 300]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "closed.pem: it cannot be read: Permission denied; make it readable, and run this again"
    assert told[1].endswith("aaa: it cannot be read: File name too long; make it readable, and run this again")


def test_an_allow_list_that_cannot_be_read_allows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".hatch-sign-secrets.toml").mkdir()
    assert main([plant("key.pem", all_planted()["pkcs8.pem"])]) == 2
    assert "it cannot be read: Is a directory; make it readable" in capsys.readouterr().err


@contextmanager
def without_privileges() -> Iterator[None]:
    """Run as nobody where the tests run as root, whom no permission keeps out."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_hole_of_a_gigabyte_is_passed_over_and_what_follows_it_is_found() -> None:
    with Path("sparse.bin").open("wb") as stream:
        stream.seek(looking.LARGEST - 100)
        stream.write(b"HATCH_SIGN_PIN=" + SECRET.encode())
        stream.truncate(1 << 30)
    assert main(["sparse.bin"]) == 1


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PIECE", PIECE)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("before", [PIECE - 40, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 70_000])
def test_a_secret_is_found_once_wherever_in_a_large_file_it_is(before: int, encoding: str) -> None:
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    filler = (("#" * 62 + "\n") * (before // width // 63 + 1))[: before // width - 1] + "\n"
    key = all_planted()["pkcs8.pem"].decode()
    ((line, found),) = look((filler + key + filler).encode(encoding), "large.txt")
    assert (found.kind, line) == ("private-key", filler.count("\n") + 1)


@pytest.mark.usefixtures("small_pieces")
def test_the_name_of_another_variable_is_not_cut_where_a_piece_begins() -> None:
    data = b"#" * (PIECE - 4) + b"OUR_HATCH_SIGN_PIN=" + SECRET.encode() + b"\n" + b"#" * PIECE
    assert look(data, "large.env") == []
    assert look(data.replace(b"OUR_", b"our "), "large.env") != []


@pytest.mark.usefixtures("small_pieces")
def test_what_is_not_looked_at_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LARGEST", 2 * PIECE)
    monkeypatch.setattr(check_secrets, "LARGEST", 2 * PIECE)
    secret = b"HATCH_SIGN_PIN=" + SECRET.encode()
    with Path("large.bin").open("wb") as stream:
        stream.seek(2 * PIECE - 100)
        stream.write(secret)
        stream.seek(3 * PIECE)
        stream.write(secret)
    assert main(["large.bin"]) == 1
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert f"only its first {2 * PIECE} bytes were looked at" in told.err
    os.truncate("large.bin", 2 * PIECE)
    main(["large.bin"])
    assert "were looked at" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "piece",
    [
        *(b"MI", b"M" * 61 + b" ", b"eyJ", b"RWRCS", b"gh", b"<D>", b'"d": "', b"kty: EC d: ", b"pin-value="),
        *(b"-----BEGIN PRIVATE KEY-----", b"signtool ", b"signtool \\\n", b"jsign --storepass env:", b"signtool {{PIN}}]="),
        *(b"name: HATCH_SIGN_PIN\n", b"HATCH_SIGN_PIN: |\n", b"set -x HATCH_SIGN_PIN "),
    ],
)
def test_what_repeats_itself_is_looked_at_to_its_end(piece: bytes) -> None:
    assert look(piece * (400_000 // len(piece)), "hostile.txt") == []


# --- the allow list ---------------------------------------------------------------------------------------------------


def allow(text: str) -> None:
    Path(".hatch-sign-secrets.toml").write_text(text)


def test_what_is_allowed_for_a_reason_may_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tests/key.pem", "key.pem"):
        plant(name, all_planted()["pkcs8.pem"])
    plant("tests/a.env", literals()["azure.env"])
    allow('[[allow]]\npath = "tests/*"\nkinds = ["private-key"]\nreason = "made for the tests, trusted by nobody"\n')
    assert main(["tests/key.pem"]) == 0
    assert main(["key.pem"]) == 1
    assert main(["tests/a.env"]) == 1
    assert capsys.readouterr().out.count("\n") == 2
    allow('[[allow]]\npath = "tests/*"\nreason = "made for the tests"\n')
    assert main(["tests/a.env"]) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[allow]]\npath = "*"\n', "lacks `reason`"),
        ('[[allow]]\npath = "*"\nreason = " "\n', "lacks `reason`"),
        ('[[allow]]\nreason = "x"\n', "lacks `path`"),
        ('[[allow]]\npath = "*"\nreason = "x"\nkinds = ["key"]\n', "`kinds` is wrong"),
        ('[[allow]]\npath = "*"\nreason = "x"\nkinds = []\n', "`kinds` is wrong"),
        ('[[allow]]\npath = "*"\nreason = "x"\nfile = "y"\n', "`file` is not a known key"),
        ("allow = 3\n", "expected tables [[allow]]"),
        ("[allowed]\n", "expected tables [[allow]]"),
        ("not toml", "cannot be read as TOML"),
        ("allow = " + "[" * 100_000, "cannot be read as TOML"),
    ],
)
def test_a_wrong_allow_list_allows_nothing(text: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    allow(text)
    assert main([plant("key.pem", all_planted()["pkcs8.pem"])]) == 2
    assert problem in capsys.readouterr().err


def test_nothing_slow_is_imported_to_find_nothing() -> None:
    code = "import sys; from hatch_sign_pre_commit.check_secrets import main; main(['gone']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "hatch_sign_pre_commit.looking" in loaded
    assert not loaded & {"cryptography", "hatch_sign.cli", "hatch_sign.registry", "pluggy", "packaging"}
