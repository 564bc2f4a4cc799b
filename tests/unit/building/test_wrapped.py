"""Which backend is wrapped, and what is said where that cannot be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from hatch_sign.building.wrapped import WrappedBackend, import_wrapped, load_wrapped
from hatch_sign.values.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _fresh_imports() -> Iterator[None]:
    """Forget what a test has imported, and where from."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def load(root: Path, table: str) -> WrappedBackend:
    (root / "pyproject.toml").write_text(table)
    return load_wrapped(root)


def write_backend(root: Path, folder: str = "_build", name: str = "in_tree_backend") -> None:
    (root / folder).mkdir(parents=True)
    (root / folder / f"{name}.py").write_text("class inner:\n    marker = 'found'\nmarker = 'found'\n")


def test_the_table_says_it_all(tmp_path: Path) -> None:
    text = '[tool.hatch-sign.build]\nbackend = "a.b:c"\nbackend-path = ["x"]\nrequires = ["hatch-sign-pkcs11"]\n'
    assert load(tmp_path, text) == WrappedBackend("a.b:c", ("x",), ("hatch-sign-pkcs11",))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'names no backend to build with; set `backend` there, such as backend = "setuptools.build_meta"'),
        ("[tool.hatch-sign.build]\n", "names no backend"),
        ("[tool.hatch-sign.build]\nbackend = 1\n", "names no backend"),
        ('[tool.hatch-sign]\nbuild = "x"\n', "tool.hatch-sign.build is not a table"),
        ('[tool.hatch-sign.build]\nbackend = "hatch_sign.backend"\n', "names hatch_sign.backend itself"),
        ('[tool.hatch-sign.build]\nbackend = "hatch_sign.backend:x"\n', "names hatch_sign.backend itself"),
        ('[tool.hatch-sign.build]\nbackend = "x"\nrequires = "y"\n', "`requires` in [tool.hatch-sign.build] is no array"),
        ('[tool.hatch-sign.build]\nbackend = "x"\nbackend-path = [1]\n', "`backend-path`"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, text)
    assert reason in str(refused.value)


def test_a_backend_in_the_project_is_imported_from_there(tmp_path: Path) -> None:
    write_backend(tmp_path)
    assert import_wrapped(WrappedBackend("in_tree_backend", ("_build",)), tmp_path).marker == "found"


def test_an_object_in_a_module_can_be_named(tmp_path: Path) -> None:
    write_backend(tmp_path)
    assert import_wrapped(WrappedBackend("in_tree_backend:inner", ("_build",)), tmp_path).marker == "found"
    with pytest.raises(ConfigurationError, match="has no outer, which"):
        import_wrapped(WrappedBackend("in_tree_backend:outer", ("_build",)), tmp_path)


def test_a_folder_out_of_the_project_is_refused(tmp_path: Path) -> None:
    write_backend(tmp_path, "outside")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "link").symlink_to(tmp_path / "outside")
    for name in ("../outside", "link", str(tmp_path / "outside")):
        with pytest.raises(ConfigurationError, match="leads out of the project"):
            import_wrapped(WrappedBackend("in_tree_backend", (name,)), tmp_path / "project")


def test_a_backend_that_lies_elsewhere_than_its_path_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_build").mkdir()
    with pytest.raises(ConfigurationError, match="is not in the `backend-path`"):
        import_wrapped(WrappedBackend("json", ("_build",)), tmp_path)


def test_ourselves_by_another_spelling_are_refused(tmp_path: Path) -> None:
    import_module("hatch_sign.backend")  # which makes it an attribute of the package
    with pytest.raises(ConfigurationError, match=r"names hatch_sign\.backend itself"):
        import_wrapped(WrappedBackend("hatch_sign:backend"), tmp_path)


@pytest.mark.parametrize(
    ("backend", "requirement"),
    [
        ("absent_backend.api", "absent_backend"),
        ("mesonpy", "meson-python"),
        ("poetry.core.masonry.api", "poetry-core"),
        ("scikit_build_core.build", "scikit-build-core"),
        ("pdm.backend", "pdm-backend"),
        ("flit_core.buildapi", "flit_core"),
    ],
)
def test_what_would_bring_a_backend_is_named(backend: str, requirement: str) -> None:
    assert WrappedBackend(backend).requirement == requirement


def test_a_backend_that_is_not_installed_is_said_with_its_requirement(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        import_wrapped(WrappedBackend("absent_backend.api"), tmp_path)
    assert str(refused.value) == (
        "the build backend absent_backend.api of [tool.hatch-sign.build] is not installed; "
        'add "absent_backend" to requires in [build-system]'
    )


def test_what_a_backend_itself_lacks_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "lacking_backend.py").write_text("import absent_library.part\n")
    with pytest.raises(ConfigurationError, match="lacking_backend needs the module absent_library, which"):
        import_wrapped(WrappedBackend("lacking_backend", (".",)), tmp_path)


def test_an_error_of_the_backend_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "failing_backend.py").write_text("raise LookupError('its own')\n")
    with pytest.raises(LookupError, match="its own"):
        import_wrapped(WrappedBackend("failing_backend", (".",)), tmp_path)
