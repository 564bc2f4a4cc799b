"""What is shipped is what is meant: versions, contents, entry points and dependencies agree, and so does the README."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

import hatch_sign
from hatch_sign.cli import main
from hatch_sign.cli.commands import build_parser
from hatch_sign.registry.known import KNOWN_PLUGINS
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.public_keys import as_public_key, encode_public_key_pem

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

SET_UP = """\
python -m pip install . && hatch-sign demo
python -m pip install tox && python -m tox run -e py
"""
"""The two commands that do all the set-up, here as well so that changing them is a decision."""

EXTRAS = {
    "keyring": "keyring",
    "requests": "upload",
    "shtab": "completion",
    "twine": "upload",
    "urllib3": "upload",
    "zlib_ng": "contents",
}
"""Modules that an extra brings; `hatch_sign.testing` may import pytest, which whoever runs it has."""

HOSTS = {"click": "hatch_hooks", "hatch": "hatch_hooks", "setuptools": "setuptools_command.py"}
"""Programs that load a part of ours, and so are there where that part runs; and the part."""


def set_up_commands(readme: str) -> str:
    """Return the commands between the markers of the README, as ``.ci/run`` takes them."""
    (block,) = re.findall(r"<!-- set-up -->\n```sh\n(.*?)```\n<!-- /set-up -->", readme, re.DOTALL)
    return str(block)


def test_the_readme_sets_up_with_two_commands() -> None:
    assert set_up_commands((ROOT / "README.md").read_text("utf-8")) == SET_UP


def test_continuous_integration_runs_the_commands_of_the_readme(tmp_path: Path) -> None:
    """The script is asked, not read: what it extracts is what it runs."""
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run"), "--show-set-up"], capture_output=True, text=True, check=True)
    assert done.stdout == SET_UP
    other = tmp_path / "README.md"
    other.write_text("<!-- set-up -->\n```sh\nfalse\n```\n<!-- /set-up -->\n")
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run"), "--show-set-up", str(other)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "false\n"


def test_every_command_in_the_documents_can_be_typed() -> None:
    found = 0
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        for block in re.findall(r"^```sh\n(.*?)^```$", (ROOT / name).read_text("utf-8"), re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                if line.startswith("hatch-sign ") and "demo" not in line:
                    words = shlex.split(line, comments=True)[1:]
                    assert build_parser(words[:1]).parse_args(words).command == words[0], line
                    found += 1
    assert found > 10


def test_a_command_that_does_not_exist_cannot_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser(["verify"]).parse_args(["verify", "dist", "--trust-everybody"])
    assert "--trust-everybody" in capsys.readouterr().err


def test_every_configuration_in_the_readme_is_without_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is read as it stands, with the files that it names; only what it trusts is looked at, no key is opened."""
    key = private_key(KeyAlgorithm.ECDSA_P256)
    (tmp_path / "release.pub").write_bytes(encode_public_key_pem(as_public_key(key.public_key(), subject="test")))
    for name in ("roots.pem", "tsa-roots.pem", "codesign-chain.pem"):
        (tmp_path / name).write_bytes(self_signed(key))
    blocks = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 8
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        (tmp_path / "pyproject.toml").write_text(block)
        assert main(["config", "check"]) == 0, capsys.readouterr().err
        (tmp_path / "pyproject.toml").write_text(f"{block}\n[tool.hatch-sign.vefiry]\n")
        assert main(["config", "check"]) == 2
        assert "vefiry" in capsys.readouterr().err


def self_signed(key: Any) -> bytes:  # noqa: ANN401 - any private key will do
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2026, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001 - it takes UTC
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def test_every_reserved_name_is_documented() -> None:
    text = (ROOT / "plugins" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(hatch-sign-[a-z0-9]+)` \| (.*) \|$", text, re.MULTILINE))
    documented = {(name, owner) for owner, names in rows.items() for name in re.findall(r"`([^`]+)`", names)}
    assert documented == {(name, owner) for name, owner in KNOWN_PLUGINS.items() if owner != "hatch-sign"}


def test_every_distribution_takes_its_version_from_one_place() -> None:
    distributions = [ROOT, *(folder for folder in (ROOT / "plugins").iterdir() if folder.is_dir())]
    checked = [folder for folder in distributions if version_source(folder) == ROOT / "hatch_sign" / "__init__.py"]
    assert checked == distributions
    assert len(checked) == 1 + len(list(ROOT.glob("plugins/*/pyproject.toml")))
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", hatch_sign.__version__)


def test_a_distribution_with_a_version_of_its_own_is_told_apart() -> None:
    assert version_source(ROOT / "examples" / "third_party_backend") is None


def version_source(folder: Path) -> Path | None:
    """Return the file from which a distribution takes its version; None where it declares one itself."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    if project["project"].get("dynamic") != ["version"]:
        return None
    named: str = project["tool"]["hatch"]["version"]["path"]
    return (folder / named).resolve()


def test_the_readme_pins_the_version_that_is_shipped() -> None:
    """Anybody may register the name on an index; the README says to pin it, and to this version."""
    pinned = re.findall(r'"(hatch-sign(?:-[a-z0-9]+)?)==(.*?)"', (ROOT / "README.md").read_text("utf-8"))
    names = ["hatch-sign", "hatch-sign", "hatch-sign-pkcs11", "hatch-sign-pkcs11", "hatch-sign-authenticode"]
    assert pinned == [(name, hatch_sign.__version__) for name in names]


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("plugins/*/pyproject.toml"), *ROOT.glob("examples/*/pyproject.toml")],
    ids=lambda path: path.parent.name,
)
def test_whatever_needs_hatch_sign_says_which(path: Path) -> None:
    """Before 1.0 a minor version may change the contract; and a build takes what an index offers, unless it says which."""
    asked = re.findall(r'"(hatch-sign(?:-[a-z0-9]+)?)((?:[=~]=[^"]*)?)"', path.read_text("utf-8"))
    needs = {relation for name, relation in asked if name == "hatch-sign"}
    assert needs <= {f"=={hatch_sign.__version__}", f"~={hatch_sign.__version__}"}
    assert needs or "hatch-sign" not in path.read_text("utf-8").partition("[tool.hatch-sign")[0]


def test_every_entry_point_of_the_core_is_there() -> None:
    for name, target in {
        **PROJECT["project"]["entry-points"]["hatch_sign"],
        **PROJECT["project"]["entry-points"]["hatch"],
    }.items():
        assert find_spec(target) is not None, name


def test_every_import_is_declared() -> None:
    declared = {re.split(r"[^\w-]", dependency)[0] for dependency in PROJECT["project"]["dependencies"]}
    for path in (ROOT / "hatch_sign").rglob("*.py"):
        for name in third_party_imports(path.read_text("utf-8")):
            by_extra = name in EXTRAS and EXTRAS[name] in PROJECT["project"]["optional-dependencies"]
            for_tests = name == "pytest" and path.parent.name == "testing"
            by_host = HOSTS.get(name) in path.parts
            assert name in declared or by_extra or for_tests or by_host, f"{path.relative_to(ROOT)} imports {name}"


def test_the_readme_installs_for_verifiers_what_all_but_the_front_ends_import() -> None:
    (listed,) = re.findall(
        r"python -m pip install ([a-z0-9 ]+)\npython -m pip install --no-deps wheelhouse/hatch_sign",
        README.read_text("utf-8"),
    )
    declared = {re.split(r"[^\w-]", dependency)[0] for dependency in PROJECT["project"]["dependencies"]}
    others = [path for path in (ROOT / "hatch_sign").rglob("*.py") if not {"cli", "hatch_hooks"} & set(path.parts)]
    imported = {name for path in others for name in third_party_imports(path.read_text("utf-8"))}
    assert set(listed.split()) == imported & declared
    assert declared - set(listed.split()) == {"hatchling", "rich"}  # of which the README says that pip misses them


def test_an_import_that_is_not_declared_is_found() -> None:
    assert third_party_imports("import os\ndef f():\n    import requests.adapters\nfrom numpy import array") == {
        "requests",
        "numpy",
    }
    assert third_party_imports("from hatch_sign.values import errors\nfrom . import x") == set()


def third_party_imports(source: str) -> set[str]:
    """Return the top-level names of what is imported and is neither ours nor the standard library's."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"hatch_sign"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and the sdist with the hatchling of this environment, without its build hooks."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"hatch_sign", "hatch_sign_pre_commit", f"hatch_sign-{hatch_sign.__version__}.dist-info"}
    missing = {path.relative_to(ROOT).as_posix() for path in (ROOT / "hatch_sign").rglob("*.py")} - names
    assert missing == set()
    assert "hatch_sign/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_sdist_holds_the_tests_and_documents_and_no_rubbish(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "SECURITY.md", "CHANGELOG.md", "tox.ini", "tests/conftest.py"} <= names
    rubbish = {name for name in names if re.search(r"(^|/)(__pycache__|\.tox|\.hatch-sign|dist|node_modules)(/|$)", name)}
    assert rubbish == set()


def test_the_licence_is_the_one_that_is_declared() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
