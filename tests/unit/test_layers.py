"""Every import of the product follows the layers, and what is slow to import is not imported before it is needed."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.public_keys import encode_public_key_pem

ROOT = Path(__file__).resolve().parents[2]

LAYERS: dict[str, set[str]] = {
    "values": set(),
    "contract": {"values"},
    "formats": {"values", "contract"},
    "archives": {"values"},
    "provenance": {"values", "contract", "formats"},
    "trust": {"values", "contract", "formats"},
    "storage": {"values"},
    "backends": {"values", "contract", "storage"},
    "observers": {"values", "contract", "storage"},
    "remote": {"values", "contract"},
    "witnesses": {"values", "contract", "formats", "remote"},
    "revocation": {"values", "contract", "remote"},
    "publishers": {"values", "contract", "storage", "remote"},
    "custody": {"values", "contract", "trust"},
    "registry": {"values", "contract"},
    "keys": {"values", "contract", "custody", "registry"},
    "artifacts": {"values", "contract", "archives", "storage"},
    "configuration": {"values", "contract", "trust", "registry", "artifacts"},
    "signing": {
        *("values", "contract", "archives", "provenance", "trust", "storage"),
        *("registry", "artifacts", "configuration", "custody"),
    },
    "diagnosis": {"values", "contract", "trust", "registry", "configuration", "custody", "signing"},
    "verification": {"values", "contract", "archives", "trust", "registry", "artifacts", "configuration"},
    "reporting": {"values", "contract", "formats", "trust", "artifacts", "configuration", "verification"},
    "stamping": {"values", "contract", "trust", "storage", "artifacts", "signing", "verification"},
    "building": {
        *("values", "contract", "trust", "registry", "artifacts", "configuration"),
        *("custody", "revocation", "signing", "verification"),
    },
    "publishing": {"values", "contract", "trust", "registry", "artifacts", "configuration", "verification"},
    "releasing": {
        *("values", "contract", "formats", "archives", "provenance", "trust"),
        *("registry", "artifacts", "configuration", "verification"),
    },
    "testing": {"values", "contract", "custody"},
}
"""What each package may import beside itself."""

FRONT_ENDS = {"backend", "cli", "hatch_hooks", "setuptools_command"}
"""They may import everything but each other and the contract suites."""

SLOW = {
    "asn1crypto": ("formats.asn1",),
    "cryptography.x509": ("testing", "trust", "backends", "custody.certificates"),
    "cryptography.hazmat.primitives.serialization": ("testing", "trust", "backends", "custody.certificates"),
    "hatch": ("hatch_hooks.publisher",),
    "hatchling": ("hatch_hooks",),
    "keyring": (),
    "packaging": (),
    "pytest": ("testing",),
    "rich": (),
    "setuptools": ("setuptools_command",),
    "shtab": (),
}
"""Modules that cost tens of milliseconds or are extras, and where they may be imported at the top of a module: where a
certificate, a key or Hatch is at hand already. The runs below show that nobody else pays."""

WITHOUT_CRYPTOGRAPHY = {"values", "contract", "registry", "storage"}
"""Packages that are imported to list what is there, and so import nothing of cryptography at the top of a module."""

MAY_LOAD_CRYPTOGRAPHY = {"hatch_sign.values.public_keys"}
"""The one exception: the keys themselves."""


@dataclass(frozen=True)
class Import:
    """One import: the module that has it, its line, what it names, and whether it runs when the module is loaded."""

    module: str
    line: int
    target: str
    at_top: bool
    typing_only: bool


class _Collector(ast.NodeVisitor):
    def __init__(self, module: str, *, is_package: bool) -> None:
        self.found: list[Import] = []
        self._module = module
        self._package = module.split(".") if is_package else module.split(".")[:-1]
        self._depth = 0
        self._typing = False

    def _add(self, line: int, target: str) -> None:
        self.found.append(Import(self._module, line, target, at_top=not self._depth, typing_only=self._typing))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(node.lineno, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._package[: len(self._package) - node.level + 1] if node.level else []
        origin = ".".join([*base, *([node.module] if node.module else [])])
        for alias in node.names:
            self._add(node.lineno, f"{origin}.{alias.name}")

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name in {"import_module", "__import__"} and node.args and isinstance(node.args[0], ast.Constant):
            self._add(node.lineno, str(node.args[0].value))
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        guarded = ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        before, self._typing = self._typing, self._typing or guarded
        for child in node.body:
            self.visit(child)
        self._typing = before
        for child in node.orelse:
            self.visit(child)

    def _visit_function(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_function  # noqa: N815 - ast finds them by these names


class Tree:
    """The imports of the package `hatch_sign` below a folder."""

    def __init__(self, root: Path) -> None:
        self.modules = {_module_name(path, root): path for path in sorted((root / "hatch_sign").rglob("*.py"))}
        self.imports = [found for name, path in self.modules.items() for found in self._collect(name, path)]

    def _collect(self, name: str, path: Path) -> Iterator[Import]:
        collector = _Collector(name, is_package=path.name == "__init__.py")
        collector.visit(ast.parse(path.read_bytes()))
        yield from collector.found

    def module_of(self, target: str) -> str | None:
        """Return the module of ours that an import of `target` loads; None for one that is not ours."""
        while target and target not in self.modules:
            target = target.rpartition(".")[0]
        return target or None

    def reachable(self, start: str) -> set[str]:
        """Return every module of ours that running anything in `start` may import, directly or not.

        A module that registers a plugin names the parts of it by callables: those are run by whoever asks for the part.
        """
        edges: dict[str, set[str]] = {}
        for found in self.imports:
            target = self.module_of(found.target)
            deferred = not found.at_top and b"def hatch_sign_register_" in self.modules[found.module].read_bytes()
            if target is not None and not found.typing_only and not deferred:
                edges.setdefault(found.module, set()).update(_with_packages(target))
        seen, pending = set(), [start]
        while pending:
            module = pending.pop()
            if module not in seen:
                seen.add(module)
                pending += edges.get(module, set())
        return seen


def wrong_arrows(tree: Tree) -> list[str]:
    """Return a line for each import that does not follow the layers."""
    return [problem for found in tree.imports for problem in _problems(tree, found)]


def _problems(tree: Tree, found: Import) -> Iterator[str]:
    here = f"{found.module}:{found.line}"
    own, outer = _layer(found.module), found.target.partition(".")[0]
    if outer.startswith("hatch_sign_"):
        yield f"{here} imports the plugin {outer}"
    target = tree.module_of(found.target)
    if target is None:
        return
    other = _layer(target)
    if other not in {own, ""} and other not in _allowed(own):
        yield f"{here} ({own}) imports {target} ({other})"


def _allowed(layer: str) -> set[str]:
    if layer in FRONT_ENDS:
        return set(LAYERS) - {"testing"}
    if layer == "":
        return {"cli"}
    return LAYERS.get(layer, set())


def slow_imports(tree: Tree) -> list[str]:
    """Return a line for each import at the top of a module that would cost every run."""
    problems = []
    for found in tree.imports:
        if not found.at_top or found.typing_only:
            continue
        slow = any(_is_below(found.target, name) and not _is_among(found.module, where) for name, where in SLOW.items())
        early = found.target.startswith("cryptography") and _layer(found.module) in WITHOUT_CRYPTOGRAPHY
        if slow or (early and found.module not in MAY_LOAD_CRYPTOGRAPHY):
            problems.append(f"{found.module}:{found.line} imports {found.target} at the top")
    return problems


def _is_among(module: str, names: tuple[str, ...]) -> bool:
    return any(_is_below(module, f"hatch_sign.{name}") for name in names)


def _is_below(name: str, ancestor: str) -> bool:
    return f"{name}.".startswith(f"{ancestor}.")


def _layer(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__main__" else ""


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _with_packages(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(ROOT)


def test_every_package_has_a_place_in_the_layers(tree: Tree) -> None:
    assert {_layer(module) for module in tree.modules} - {""} <= set(LAYERS) | FRONT_ENDS


def test_every_import_follows_the_layers(tree: Tree) -> None:
    assert wrong_arrows(tree) == []


def test_nothing_slow_is_imported_at_the_top(tree: Tree) -> None:
    assert slow_imports(tree) == []


def test_verification_reaches_neither_signing_nor_custody_nor_a_backend(tree: Tree) -> None:
    reached = {_layer(module) for start in _of_layer(tree, "verification") for module in tree.reachable(start)}
    assert "trust" in reached
    assert not reached & {"signing", "custody", "backends", "cli", "hatch_hooks", "testing"}


def test_verifiers_of_formats_do_not_reach_producers(tree: Tree) -> None:
    verifiers = [module for module in _of_layer(tree, "formats") if module.endswith("verifier")]
    assert verifiers
    for verifier in verifiers:
        assert not [module for module in tree.reachable(verifier) if module.endswith(("producer", "sealing"))], verifier


def _of_layer(tree: Tree, layer: str) -> list[str]:
    return [module for module in tree.modules if _layer(module) == layer]


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("values/errors.py", "from hatch_sign.contract import Seal", "hatch_sign.values.errors:1 (values) imports"),
        ("values/errors.py", "from ..signing import run", "hatch_sign.values.errors:1 (values) imports hatch_sign.signing"),
        ("formats/x.py", "def f():\n    import hatch_sign.storage", "hatch_sign.formats.x:2 (formats) imports"),
        ("formats/x.py", "from importlib import import_module\nimport_module('hatch_sign.cli')", "hatch_sign.formats.x:2"),
        ("trust/key.py", "if TYPE_CHECKING:\n    from hatch_sign import storage", "hatch_sign.trust.key:2 (trust) imports"),
        ("verification/x.py", "from hatch_sign.signing import run", "hatch_sign.verification.x:1 (verification) imports"),
        ("signing/run.py", "from hatch_sign import cli", "hatch_sign.signing.run:1 (signing) imports hatch_sign.cli (cli)"),
        ("cli/sign.py", "import hatch_sign_kms", "hatch_sign.cli.sign:1 imports the plugin hatch_sign_kms"),
    ],
)
def test_a_wrong_arrow_is_caught(tmp_path: Path, file: str, line: str, expected: str) -> None:
    problems = wrong_arrows(_tampered(tmp_path, file, line))
    assert len(problems) == 1
    assert problems[0].startswith(expected)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cli/console.py", "from rich.console import Console"),
        ("artifacts/releases.py", "import packaging.utils"),
        ("signing/run.py", "from cryptography import x509"),
        ("contract/backends.py", "from cryptography.exceptions import InvalidSignature"),
        ("configuration/x.py", "try:\n    import hatchling\nexcept ImportError:\n    pass"),
    ],
)
def test_a_slow_import_is_caught(tmp_path: Path, file: str, line: str) -> None:
    assert len(slow_imports(_tampered(tmp_path, file, line))) == 1
    lazy = "def f():\n" + "\n".join("    " + part for part in line.splitlines())
    assert slow_imports(_tampered(tmp_path, file, lazy)) == []


def test_what_is_reached_is_followed_through_lazy_imports(tmp_path: Path) -> None:
    _tampered(tmp_path, "trust/key.py", "def f():\n    from hatch_sign.artifacts import naming")
    tree = _tampered(tmp_path, "artifacts/naming.py", "from hatch_sign.backends import emulated")
    assert "hatch_sign.backends" in tree.reachable("hatch_sign.trust.key")


def _tampered(root: Path, file: str, text: str) -> Tree:
    for layer in (*LAYERS, *FRONT_ENDS):
        package = root / "hatch_sign" / layer
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
    (root / "hatch_sign" / "__init__.py").touch()
    (root / "hatch_sign" / file).write_text(text)
    return Tree(root)


def test_the_version_is_told_without_importing_anything_slow() -> None:
    loaded = _loaded_after("--version")
    assert "hatch_sign.cli" in loaded
    assert not loaded & {"argparse", "cryptography", "hatchling", "importlib.metadata", "packaging", "pluggy", "rich"}


def test_verifying_loads_nothing_that_signs_and_nothing_slow(tmp_path: Path) -> None:
    (tmp_path / "tool.bin").write_bytes(b"what is released")
    key = private_key(KeyAlgorithm.ECDSA_P256)
    seal = KeySeal(key, Scheme.ECDSA_SHA256)
    subject = Subject("tool.bin", 16, {"sha256": hashlib.sha256(b"what is released").digest()})
    (tmp_path / "tool.bin.sigstore.json").write_bytes(BundleProducer().sign(subject, seal))
    (tmp_path / "release.pub").write_bytes(encode_public_key_pem(seal.public_key))
    loaded = _loaded_after("verify", "tool.bin", "--key", "release.pub", folder=tmp_path)
    assert "hatch_sign.verification.verifying" in loaded
    ours = {_layer(module) for module in loaded if module.startswith("hatch_sign.")}
    assert not ours & {"signing", "custody", "backends", "hatch_hooks", "testing"}
    assert not [module for module in loaded if module.startswith("hatch_sign.") and module.endswith(("producer", "sealing"))]
    assert not loaded & {
        "asn1crypto",
        "cryptography.x509",
        "getpass",
        "hatchling",
        "keyring",
        "packaging",
        "rich",
        "sqlite3",
        "tarfile",
    }


def _loaded_after(*arguments: str, folder: Path | None = None) -> set[str]:
    """Run the command line in an interpreter of its own, and return the modules that it has loaded by the end."""
    code = "import sys; from hatch_sign.cli import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
    # What measures coverage loads modules of its own.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())
