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
PUBLIC = {"contract", "values", "formats", "remote"}
"""The packages of the core that a plugin may import; everything else may change without notice."""

IMPORTED_AS = {
    "azure": {"azure-identity", "azure-keyvault-certificates", "azure-keyvault-keys", "azure-core"},
    "botocore": {"boto3"},
    "google": {"google-cloud-kms"},
    "google_crc32c": {"google-cloud-kms"},
    "grpc": {"google-cloud-kms"},
    "pkcs11": {"python-pkcs11"},
    "requests": {"hvac"},
}
"""The distribution that brings a module, where it is called otherwise, or comes with another."""

AT_LISTING = {"hatch_sign.contract.hookspecs", "__future__", "typing", "collections.abc", "contextlib"}
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


def declared(folder: Path) -> set[str]:
    table = project(folder)["project"]
    extras = table.get("optional-dependencies", {}).values()
    everything = [*table["dependencies"], *(each for extra in extras for each in extra)]
    return {re.split(r"[^\w-]", each)[0] for each in everything}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_imports_public_names_and_what_it_declares(folder: Path) -> None:
    own, known = package(folder).name, declared(folder)
    for path in package(folder).rglob("*.py"):
        for name in imports(path.read_text("utf-8")):
            top, _, rest = name.partition(".")
            if top == "hatch_sign":
                assert rest.partition(".")[0] in PUBLIC, f"{path.relative_to(ROOT)} imports {name}"
            elif top != own and top not in sys.stdlib_module_names:
                assert IMPORTED_AS.get(top, {top}) & known, f"{path.relative_to(ROOT)} imports {name}, which is not declared"


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
