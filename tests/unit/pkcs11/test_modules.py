"""A module is found by an absolute path, or by a name where administrators and packages put modules; nowhere else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.known_modules import KNOWN_MODULES
from hatch_sign_pkcs11.modules import ModuleFolders, ModuleLocation, find_module, installed_modules, system_folders
from hatch_sign_pkcs11.p11_kit import P11KitFolders, configured_modules
from hatch_sign_pkcs11.references import parse_pkcs11_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_README = Path(__file__).parents[3] / "plugins" / "hatch-sign-pkcs11" / "README.md"


@pytest.fixture
def machine(tmp_path: Path) -> ModuleFolders:
    """Lay out a machine that has p11-kit and no module yet."""
    for folder in ("etc/modules", "share", "home/modules", "lib/pkcs11", "lib/vendor"):
        (tmp_path / folder).mkdir(parents=True)
    p11_kit = P11KitFolders(
        system=tmp_path / "etc",
        packages=tmp_path / "share",
        libraries=(tmp_path / "lib/pkcs11",),
        user=tmp_path / "home",
    )
    return ModuleFolders((tmp_path / "lib/absent", tmp_path / "lib/vendor", tmp_path / "lib"), p11_kit)


def _write(path: Path, text: str = "") -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def _find(query: str, folders: ModuleFolders, **environ: str) -> ModuleLocation:
    return find_module(parse_pkcs11_reference(f"pkcs11:token=release{query}", environ), environ, folders=folders)


def _refusal(query: str, folders: ModuleFolders, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _find(query, folders, **environ)
    return str(caught.value)


def test_an_absolute_path_is_taken_as_it_is(machine: ModuleFolders, tmp_path: Path) -> None:
    module = _write(tmp_path / "any.name")
    assert _find(f"?module-path={module}", machine) == ModuleLocation(module, "the reference's module-path")
    assert _find("", machine, HATCH_SIGN_PKCS11_MODULE=module) == ModuleLocation(module, "HATCH_SIGN_PKCS11_MODULE")
    assert _find("", machine, COSIGN_PKCS11_MODULE_PATH=module) == ModuleLocation(module, "COSIGN_PKCS11_MODULE_PATH")


@pytest.mark.parametrize("path", ["module.so", "./module.so", "~/module.so", "lib/../module.so"])
def test_a_relative_path_is_refused_even_where_it_exists(
    path: str, machine: ModuleFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "~"):
        folder.mkdir(exist_ok=True)
        _write(folder / "module.so")
    assert "is a relative path" in _refusal(f"?module-path={path}", machine)


@pytest.mark.parametrize(
    "prefix",
    [
        "/proc/self/cwd",
        "//proc/self/cwd",
        "/usr/../proc/self/./cwd",
        "/dev/fd/../../self/cwd",
        "/usr/../dev/fd/../../self/cwd",
    ],
)
def test_a_path_by_which_each_process_means_another_place_is_refused(
    prefix: str, machine: ModuleFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "module.so")
    refused = "leads to another place in each process, such as the working directory"
    assert refused in _refusal(f"?module-path={prefix}/module.so", machine)
    assert refused in _refusal(f"?module-name=module&module-path={prefix}", machine)


def test_a_path_that_is_no_module_has_one_clear_error_each(machine: ModuleFolders, tmp_path: Path) -> None:
    assert "does not exist" in _refusal(f"?module-path={tmp_path}/absent.so", machine)
    assert "does not exist" in _refusal("", machine, COSIGN_PKCS11_MODULE_PATH=f"{tmp_path}/absent.so")
    file = _write(tmp_path / "file.so")
    assert "cannot be read: Not a directory" in _refusal(f"?module-path={file}/below.so", machine)
    assert "is a folder; name the module in it" in _refusal(f"?module-path={tmp_path}", machine)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_no_module_and_is_not_waited_for(machine: ModuleFolders, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.so")
    assert "is not a file" in _refusal(f"?module-path={tmp_path}/pipe.so", machine)


@pytest.fixture
def _ordinary_user() -> Iterator[None]:
    """Be somebody whom permissions stop; root, as in containers, steps aside for the length of the test."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no permissions of that kind")
def test_a_module_that_may_not_be_read_is_said_to_be_so(
    machine: ModuleFolders, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    module = _write(tmp_path / "secret.so")
    Path(module).chmod(0)
    request.getfixturevalue("_ordinary_user")
    assert "cannot be read: Permission denied" in _refusal(f"?module-path={module}", machine)


def test_a_folder_and_a_name_are_a_module_in_that_folder_only(machine: ModuleFolders, tmp_path: Path) -> None:
    _write(tmp_path / "lib/vendor/libp11.so")
    _write(tmp_path / "share/p11.module", f"module: {tmp_path}/lib/vendor/libp11.so")
    (tmp_path / "own").mkdir()
    query = f"?module-path={tmp_path}/own&module-name=p11"
    assert "holds no PKCS#11 module p11" in _refusal(query, machine)
    module = _write(tmp_path / "own/libp11.so")
    assert _find(query, machine) == ModuleLocation(module, "the reference's module-path")


def test_a_file_and_a_name_must_agree(machine: ModuleFolders, tmp_path: Path) -> None:
    module = _write(tmp_path / "libp11.so")
    assert _find(f"?module-path={module}&module-name=P11", machine).path == module
    assert "not called module-name" in _refusal(f"?module-path={module}&module-name=other", machine)


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("softhsm2", "libsofthsm2.so"),
        ("SoftHSM2", "libsofthsm2.so"),
        ("libsofthsm2", "libsofthsm2.so"),
        ("libsofthsm2.so", "libsofthsm2.so"),
        ("softhsm2", "softhsm2.so"),
        ("softhsm2", "libsofthsm2.so.1.9.0"),
        ("softhsm2", "libsofthsm2.dylib"),
        ("cs_pkcs11_R3", "CS_PKCS11_R3.DLL"),
        ("opensc-pkcs11", "opensc-pkcs11.so"),
    ],
)
def test_a_name_has_no_case_and_no_affixes(name: str, file_name: str, machine: ModuleFolders, tmp_path: Path) -> None:
    _write(tmp_path / "lib/vendor/README.txt")
    _write(tmp_path / "lib/vendor/libsofthsm.so")
    _write(tmp_path / "lib/vendor/libsofthsm22.so")
    module = _write(tmp_path / "lib/vendor" / file_name)
    assert _find(f"?module-name={name}", machine) == ModuleLocation(module, "the reference's module-name")
    assert "is installed here" in _refusal("?module-name=softhsm", ModuleFolders((tmp_path / "lib",)))


def test_the_first_folder_and_the_least_adorned_name_win(machine: ModuleFolders, tmp_path: Path) -> None:
    second = _write(tmp_path / "lib/libp11.so")
    assert _find("?module-name=p11", machine).path == second
    versioned = _write(tmp_path / "lib/vendor/libp11.so.2")
    assert _find("?module-name=p11", machine).path == versioned
    first = _write(tmp_path / "lib/vendor/libp11.so")
    assert _find("?module-name=p11", machine).path == first
    Path(first).unlink()
    Path(first).mkdir()
    assert _find("?module-name=p11", machine).path == versioned


def test_p11_kits_name_comes_before_a_file_of_that_name(machine: ModuleFolders, tmp_path: Path) -> None:
    _write(tmp_path / "lib/vendor/libhsm.so")
    module = _write(tmp_path / "lib/pkcs11/vendor-p11.so")
    source = _write(tmp_path / "share/hsm.module", "# ours\n\nmodule: vendor-p11.so\ncritical: no\n")
    assert _find("?module-name=HSM", machine) == ModuleLocation(module, f"p11-kit's {source}")
    assert _find("?module-name=vendor-p11", machine) == ModuleLocation(module, f"p11-kit's {source}")


def test_a_configured_module_that_is_gone_is_an_error_not_another_module(machine: ModuleFolders, tmp_path: Path) -> None:
    _write(tmp_path / "lib/vendor/libhsm.so")
    _write(tmp_path / "share/hsm.module", "module: gone.so")
    refusal = _refusal("?module-name=hsm", machine)
    assert "lib/pkcs11/gone.so" in refusal
    assert "does not exist" in refusal


@pytest.mark.parametrize(
    ("setting", "enabled"),
    [
        ("", True),
        ("enable-in: hatch-sign", True),
        ("enable-in: ssh, hatch-sign", True),
        ("enable-in: ssh seahorse", False),
        ("enable-in: hatch-signer", False),
        ("disable-in: p11-kit-proxy", True),
        ("disable-in: firefox,hatch-sign", False),
        ("enable-in: hatch-sign\ndisable-in: hatch-sign", True),
    ],
)
def test_p11_kit_may_keep_a_module_from_us(setting: str, machine: ModuleFolders, tmp_path: Path, *, enabled: bool) -> None:
    module = _write(tmp_path / "lib/pkcs11/p11.so")
    _write(tmp_path / "share/hsm.module", f"module: p11.so\n{setting}\n")
    assert [location.path for location in installed_modules(machine)] == ([module] if enabled else [])
    if enabled:
        assert _find("?module-name=hsm", machine).path == module
    else:
        assert "keeps the module hsm from hatch-sign" in _refusal("?module-name=hsm", machine)


def _configured(machine: ModuleFolders) -> list[str]:
    assert machine.p11_kit is not None
    return [f"{module.name} {module.path.name}" for module in configured_modules(machine.p11_kit)]


def test_the_users_settings_come_first_then_the_systems_then_the_packages(machine: ModuleFolders, tmp_path: Path) -> None:
    _write(tmp_path / "share/hsm.module", "module: packaged.so\npriority: 5")
    _write(tmp_path / "share/other.module", "module: other.so\npriority: 1")
    assert _configured(machine) == ["hsm packaged.so", "other other.so"]
    _write(tmp_path / "etc/modules/hsm.module", "module: system.so\npriority: -1")
    assert _configured(machine) == ["other other.so", "hsm system.so"]
    _write(tmp_path / "home/modules/hsm.module", "module: mine.so")
    assert _configured(machine) == ["other other.so", "hsm mine.so"]
    _write(tmp_path / "home/modules/hsm.module", "module:")
    assert _configured(machine) == ["other other.so"]


@pytest.mark.parametrize(
    ("system", "user", "expected"),
    [
        ("", "", ["mine mine.so", "system system.so"]),
        ("user-config: merge", "", ["mine mine.so", "system system.so"]),
        ("user-config: none", "user-config: merge", ["system system.so"]),
        ("user-config: only", "", ["mine mine.so"]),
        ("user-config: override", "", ["mine mine.so"]),
        ("user-config: merge", "user-config: only", ["mine mine.so"]),
        ("user-config: merge", "user-config: none", ["system system.so"]),
        ("user-config: perhaps", "", ["system system.so"]),
        ("user-config: merge", "user-config: perhaps", ["system system.so"]),
    ],
)
def test_the_user_counts_as_pkcs11_conf_says(
    system: str, user: str, expected: list[str], machine: ModuleFolders, tmp_path: Path
) -> None:
    _write(tmp_path / "etc/modules/system.module", "module: system.so")
    _write(tmp_path / "home/modules/mine.module", "module: mine.so")
    _write(tmp_path / "etc/pkcs11.conf", system)
    _write(tmp_path / "home/pkcs11.conf", user)
    assert _configured(machine) == expected


@pytest.mark.parametrize(
    ("file_name", "text"),
    [
        ("hsm.conf", "module: p11.so"),
        (".module", "module: p11.so"),
        ("_hsm.module", "module: p11.so"),
        ("h sm.module", "module: p11.so"),
        ("hsm.module", ""),
        ("hsm.module", "[section]\nmodule: p11.so"),
        ("hsm.module", "module: p11.so\nwithout a colon"),
        ("hsm.module", "module: p11.so\nremote: |ssh host p11-kit remote"),
        ("hsm.module", "module: p11.so\n#" + "x" * 70_000),
    ],
)
def test_what_p11_kit_would_not_load_from_a_file_is_not_there(
    file_name: str, text: str, machine: ModuleFolders, tmp_path: Path
) -> None:
    _write(tmp_path / "share/good.module", "  module :   good.so  \npriority: many")
    _write(tmp_path / "share" / file_name, text)
    assert _configured(machine) == ["good good.so"]


@given(st.binary(max_size=200))
def test_no_configuration_file_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("p11-kit")
    (folder / "pkcs11.conf").write_bytes(content)
    (folder / "a.module").write_bytes(b"module: " + content)
    for module in configured_modules(P11KitFolders(system=folder, packages=folder, libraries=(folder,), user=folder)):
        assert module.name == "a"


def test_without_a_module_the_error_lists_those_that_are_here(machine: ModuleFolders, tmp_path: Path) -> None:
    refusal = _refusal("", machine)
    assert "no PKCS#11 module is named" in refusal
    assert "none was found in the usual places" in refusal
    softhsm = _write(tmp_path / "lib/vendor/libsofthsm2.so")
    configured = _write(tmp_path / "lib/pkcs11/p11.so")
    _write(tmp_path / "share/hsm.module", "module: p11.so")
    trust = _write(tmp_path / "lib/pkcs11/p11-kit-trust.so")
    _write(tmp_path / "share/p11-kit-trust.module", "module: p11-kit-trust.so\ntrust-policy: yes")
    (tmp_path / "lib/libsofthsm2.so").symlink_to(softhsm)
    for query in ("", "?module-name=absent", f"?module-path={tmp_path}/absent.so"):
        refusal = _refusal(query, machine)
        assert refusal.endswith(f"found here: {configured}, {softhsm}"), query
        assert trust not in refusal


def test_a_long_list_is_cut_and_what_a_file_name_hides_is_shown(machine: ModuleFolders, tmp_path: Path) -> None:
    for number in range(10):
        name = f"{number}\u202e.so"
        _write(tmp_path / "lib/pkcs11" / name)
        _write(tmp_path / f"share/m{number}.module", f"module: {name}")
    refusal = _refusal("", machine)
    assert "7\\u202e.so and 2 more" in refusal
    assert "\u202e" not in refusal


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
def test_every_platform_has_its_folders(platform: str) -> None:
    folders = system_folders({"HOME": str(Path.home())}, platform=platform)
    assert len(set(folders.libraries)) == len(folders.libraries)
    assert (folders.p11_kit is None) == (platform == "win32")
    assert all(location.path for location in installed_modules(folders, platform=platform))


@pytest.mark.parametrize(
    ("environ", "has_user"),
    [
        ({"HOME": "/home/ana"}, True),
        ({}, False),
        ({"HOME": "home/ana"}, False),
        ({"HOME": "/home/ana", "P11_KIT_NO_USER_CONFIG": "1"}, False),
    ],
)
def test_whose_configuration_counts(environ: dict[str, str], *, has_user: bool) -> None:
    folders = system_folders(environ, platform="linux").p11_kit
    assert folders is not None
    assert folders.user == (Path("/home/ana/.config/pkcs11") if has_user else None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone can become somebody else")
@pytest.mark.usefixtures("_ordinary_user")
def test_who_runs_as_somebody_else_reads_nobodys_configuration() -> None:
    folders = system_folders({"HOME": "/home/ana"}, platform="linux").p11_kit
    assert folders is not None
    assert folders.user is None


def test_what_this_machine_has_can_be_found_by_name() -> None:
    for location in installed_modules(system_folders({})):
        name = re.sub(r"\.so.*|\.dylib|\.dll", "", Path(location.path).name)
        reference = parse_pkcs11_reference(f"pkcs11:?module-name={name}", {})
        assert Path(find_module(reference, {}).path).resolve() == Path(location.path).resolve()


@pytest.mark.parametrize("module", KNOWN_MODULES, ids=lambda module: module.product)
def test_the_readme_names_every_known_module(module: object) -> None:
    text = _README.read_text(encoding="utf-8")
    paths = [getattr(module, system) for system in ("linux", "macos", "windows")]
    assert [path for path in paths if path and f"`{path}`" not in text] == []
