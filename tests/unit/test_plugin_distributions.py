"""What every distribution under plugins/ keeps: declared imports, public names of the core only, reserved entry points."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.registry.known import KNOWN_PLUGINS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
PUBLIC = {"contract", "values", "formats", "keys", "remote"}
"""The packages of the core that a plugin may import; everything else may change without notice."""

IMPORTED_AS = {
    "azure.core": {"azure-core"},
    "azure.identity": {"azure-identity"},
    "azure.keyvault.certificates": {"azure-keyvault-certificates"},
    "azure.keyvault.keys": {"azure-keyvault-keys"},
    "google.api_core": {"google-api-core"},
    "google.auth": {"google-auth"},
    "google.auth.transport.requests": {"google-auth", "requests"},
    "google.cloud.kms_v1": {"google-cloud-kms"},
    "grpc": {"grpcio"},
    "pkcs11": {"python-pkcs11"},
    "rfc3161_client": {"rfc3161-client"},
}
"""The distributions that bring a module and all below it, where they are not called as its top-level package is."""

EXTRA_OF = {"artifact_signing": "azure"}
"""The extra that a sub-package may import from, where the two are not called alike."""

AT_LISTING = {
    "__future__",
    "collections.abc",
    "contextlib",
    "hatch_sign.contract.executables",
    "hatch_sign.contract.hookspecs",
    "typing",
}
"""What a module behind an entry point may import at its top: `hatch-sign plugins` imports it to list it."""


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def package(folder: Path) -> Path:
    return folder / folder.name.replace("-", "_")


def imports(source: str) -> Iterator[str]:
    """Yield every module that `source` imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def declared(folder: Path, extra: str) -> set[str]:
    """Return what is installed with the distribution and this extra of it, where it has one of the name."""
    table = project(folder)["project"]
    everything = [*table["dependencies"], *table.get("optional-dependencies", {}).get(extra, ())]
    return {re.split(r"[^\w-]", each)[0] for each in everything}


def needed(module: str) -> set[str]:
    """Return the distributions that an import of `module` needs."""
    name = module
    while name and name not in IMPORTED_AS:
        name = name.rpartition(".")[0]
    return IMPORTED_AS.get(name, {module.partition(".")[0]})


def wrong_imports(folder: Path) -> Iterator[str]:
    """Yield a line for each import of what is not public, or not declared for the sub-package that makes it."""
    for path in sorted(package(folder).rglob("*.py")):
        where = path.relative_to(package(folder)).parts[0]
        known = declared(folder, EXTRA_OF.get(where, where))
        for name in imports(path.read_text("utf-8")):
            top, _, rest = name.partition(".")
            if top == "hatch_sign" and rest.partition(".")[0] not in PUBLIC:
                yield f"{where}/{path.name} imports {name}, which is not public"
            elif top not in {"hatch_sign", package(folder).name, *sys.stdlib_module_names} and not needed(name) <= known:
                yield f"{where}/{path.name} imports {name}, and {sorted(needed(name) - known)} is not declared"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_imports_public_names_and_what_it_declares(folder: Path) -> None:
    assert list(wrong_imports(folder)) == []


@pytest.mark.parametrize(
    ("place", "line", "problem"),
    [
        ("aws", "from hatch_sign.custody import context", "aws/x.py imports hatch_sign.custody, which is not public"),
        ("aws", "import requests", "aws/x.py imports requests, and ['requests'] is not declared"),
        ("aws", "import botocore.config", ""),
        ("azure", "def f():\n    import botocore", "azure/x.py imports botocore, and ['botocore'] is not declared"),
        ("azure", "from azure.keyvault.secrets import S", "azure/x.py imports azure.keyvault.secrets, and ['azure'] is"),
        ("azure", "from azure.keyvault.keys.crypto import C", ""),
        ("google", "from google.auth.transport.requests import R", "google/x.py imports google.auth.transport.requests,"),
        ("google", "import google.auth", ""),
        ("google", "import google.protobuf", "google/x.py imports google.protobuf, and ['google'] is not declared"),
    ],
)
def test_an_import_that_is_not_declared_is_found(tmp_path: Path, place: str, line: str, problem: str) -> None:
    folder = tmp_path / "hatch-sign-example"
    extras = 'aws = ["boto3", "botocore>=1"]\nazure = ["azure-keyvault-keys>=4"]\ngoogle = ["google-auth"]'
    (folder / "hatch_sign_example" / place).mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"[project]\ndependencies = []\n[project.optional-dependencies]\n{extras}\n")
    (folder / "hatch_sign_example" / place / "x.py").write_text(line)
    found = list(wrong_imports(folder))
    assert len(found) == bool(problem)
    assert "".join(found).startswith(problem)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_registers_what_is_reserved_to_it(folder: Path) -> None:
    registered = set(project(folder)["project"]["entry-points"]["hatch_sign"])
    assert registered == {name for name, owner in KNOWN_PLUGINS.items() if owner == folder.name}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_listing_a_plugin_imports_nothing_of_what_it_needs(folder: Path) -> None:
    for target in project(folder)["project"]["entry-points"]["hatch_sign"].values():
        place = folder / target.replace(".", "/")
        source = (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_text("utf-8")
        assert set(top_level_imports(source)) <= AT_LISTING, target


def top_level_imports(source: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(ast.unparse(node))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_is_typed_licensed_and_described(folder: Path) -> None:
    table = project(folder)["project"]
    assert (package(folder) / "py.typed").is_file()
    assert table["license"] == "Apache-2.0"
    assert (folder / table["readme"]).read_text("utf-8").startswith(f"# {folder.name}\n")


def test_imports_that_are_hidden_or_private_are_found() -> None:
    assert set(imports("import os\ndef f():\n    from hatch_sign.custody import context")) == {"os", "hatch_sign.custody"}
    assert list(top_level_imports("import os\nif True:\n    import sys\n")) == ["os"]
