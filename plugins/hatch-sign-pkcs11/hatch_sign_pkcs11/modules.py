"""Finding the PKCS#11 module, a shared library, that a reference speaks of. Nothing is loaded here.

A module is code that runs in this process with the PIN in its hands: it is only ever the one that was named, by an
absolute path, or by a name in folders that administrators and packages write.
"""

from __future__ import annotations

import os
import platform as machine
import re
import stat
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError
from hatch_sign_pkcs11.known_modules import KNOWN_MODULES
from hatch_sign_pkcs11.p11_kit import P11KitFolders, configured_modules
from hatch_sign_pkcs11.references import MODULE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hatch_sign_pkcs11.references import Pkcs11Reference

_MOST_LISTED = 8
_LIBRARY = re.compile(r"(?:lib)?(.+?)(?:\.so(?:\.[0-9]+)*|\.dylib|\.dll)\Z", re.IGNORECASE)
_PREFIXES = ("/usr/local", "/opt/homebrew", "/opt/local")
"""Where p11-kit is installed outside Linux: by hand or FreeBSD's ports, by Homebrew, by MacPorts."""


@dataclass(frozen=True, slots=True)
class ModuleLocation:
    """A module's absolute path, and who said that it is there, in words."""

    path: str
    origin: str


@dataclass(frozen=True, slots=True)
class ModuleFolders:
    """Where modules are looked for by name: p11-kit's configuration first, then each of `libraries`, in order."""

    libraries: tuple[Path, ...]
    p11_kit: P11KitFolders | None = None


def find_module(
    reference: Pkcs11Reference, environ: Mapping[str, str], *, folders: ModuleFolders | None = None
) -> ModuleLocation:
    """Return the module that `reference`, or the environment for it, names.

    A ``module-path`` is a file, or a folder with a ``module-name`` in it (RFC 7512 §2.4); a ``module-name`` alone is looked
    for in `folders`, by default those of this machine. Its case, a leading ``lib`` and a suffix do not count.

    Raises ConfigurationError where nothing is named, or what is named is not there; it lists the modules that are.
    """
    places = folders or system_folders(environ)
    if reference.module_path is not None:
        return _by_path(reference, reference.module_path, places)
    if reference.module_name is not None:
        return _by_name(reference, reference.module_name, places)
    message = f"{reference.text}: no PKCS#11 module is named"
    remedy = f"add `?module-path=PATH` or `?module-name=NAME`, or set {MODULE_VARIABLE}; {_what_is_here(places)}"
    raise ConfigurationError(message, remedy=remedy)


def others_may_replace(path: str) -> bool:
    """Return whether anybody on this machine may write the file, or exchange it in its folder. Never raises."""
    try:
        file, folder = Path(path).stat().st_mode, Path(path).parent.stat().st_mode
    except OSError:
        return False
    in_open_folder = bool(folder & stat.S_IWOTH) and not folder & stat.S_ISVTX
    return sys.platform != "win32" and (bool(file & stat.S_IWOTH) or in_open_folder)


def installed_modules(folders: ModuleFolders, *, platform: str = sys.platform) -> tuple[ModuleLocation, ...]:
    """Return the modules of this machine that may hold keys, each once: p11-kit's, then the well-known ones."""
    found: dict[str, ModuleLocation] = {}
    for location in (*_configured(folders), *_well_known(folders, platform)):
        found.setdefault(os.path.realpath(location.path), location)
    return tuple(found.values())


def system_folders(environ: Mapping[str, str], *, platform: str = sys.platform) -> ModuleFolders:
    """Return where modules are on this machine. The user's own configuration is under ``HOME``, as p11-kit has it."""
    if platform == "win32":
        return ModuleFolders(_vendor_folders(platform))
    usual = _linux_folders() if platform.startswith("linux") else _prefixed_folders()
    prefix = Path("/") if platform.startswith("linux") else _p11_kit_prefix()
    share = Path("/usr/share") if platform.startswith("linux") else prefix / "share"
    p11_kit = P11KitFolders(
        system=prefix / "etc/pkcs11",
        packages=share / "p11-kit/modules",
        libraries=tuple(folder for folder in usual if folder.name == "pkcs11"),
        user=_user_folder(environ),
    )
    return ModuleFolders(tuple(dict.fromkeys((*usual, *_vendor_folders(platform)))), p11_kit)


def _by_path(reference: Pkcs11Reference, path: str, folders: ModuleFolders) -> ModuleLocation:
    origin = reference.module_origin or "module-path"
    if not os.path.isabs(path):  # noqa: PTH117 - a string, as it was written
        message = f"{reference.text}: {origin} is a relative path, which whoever fills the working directory would answer"
        raise ConfigurationError(message, remedy="give the absolute path of the PKCS#11 module (RFC 7512 §2.4)")
    if _is_of_each_process(path):
        message = f"{reference.text}: {origin} leads to another place in each process, such as the working directory"
        raise ConfigurationError(message, remedy="give the path of the PKCS#11 module itself, not one below /proc or /dev")
    if os.path.isdir(path):  # noqa: PTH112 - pathlib's raises where a folder above may not be searched
        return _in_folder(reference, path, origin)
    _require_readable_file(path, origin, folders)
    if reference.module_name is not None and not _is_called(Path(path).name, reference.module_name):
        message = f"{reference.text}: module-path is a file that is not called module-name"
        raise ConfigurationError(message, remedy="leave one of the two")
    return ModuleLocation(path, origin)


def _is_of_each_process(path: str) -> bool:
    """Return whether an absolute path is one like ``/proc/self/cwd/module.so``, which is a relative one in disguise."""
    # Each folder on the way is looked at: what follows one may step back out of it, as in /dev/fd/../../self/cwd.
    steps = (os.path.normpath(path[:at]) for at, character in enumerate(f"{path}/") if character == "/")
    return any(step.lstrip("/").partition("/")[0] in {"proc", "dev"} for step in steps)


def _in_folder(reference: Pkcs11Reference, path: str, origin: str) -> ModuleLocation:
    if reference.module_name is None:
        message = f"{display(path)} ({origin}) is a folder"
        raise ConfigurationError(message, remedy="name the module in it: add `module-name=NAME`, or its file to the path")
    # RFC 7512 §2.4: only what fits both attributes is looked at.
    for file in _libraries_called(reference.module_name, Path(path)):
        return ModuleLocation(str(file), origin)
    message = f"{display(path)} ({origin}) holds no PKCS#11 module {display(reference.module_name)}"
    raise ConfigurationError(message, remedy="check the name, or give the path of the file")


def _by_name(reference: Pkcs11Reference, name: str, folders: ModuleFolders) -> ModuleLocation:
    for module in configured_modules(folders.p11_kit) if folders.p11_kit else ():
        if module.name.lower() == name.lower() or _is_called(module.path.name, name):
            origin = f"p11-kit's {module.source}"
            if not module.enabled:
                message = f"{display(module.source)} keeps the module {display(name)} from hatch-sign"
                raise ConfigurationError(message, remedy="change its enable-in or disable-in, or name a module-path")
            _require_readable_file(str(module.path), origin, folders)
            return ModuleLocation(str(module.path), origin)
    for folder in folders.libraries:
        for file in _libraries_called(name, folder):
            return ModuleLocation(str(file), reference.module_origin or "module-name")
    message = f"{reference.text}: no PKCS#11 module {display(name)} is installed here"
    remedy = f"install it, or give its path: `?module-path=PATH` or {MODULE_VARIABLE}; {_what_is_here(folders)}"
    raise ConfigurationError(message, remedy=remedy)


def _require_readable_file(path: str, origin: str, folders: ModuleFolders) -> None:
    problem = _problem_with(path)
    if problem:
        message = f"the PKCS#11 module {display(path)} ({display(origin)}) {problem}"
        raise ConfigurationError(message, remedy=f"give the absolute path of the module; {_what_is_here(folders)}")


def _problem_with(path: str) -> str | None:
    try:
        # Asked before it is opened: a named pipe would wait for a writer.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a path as it was written, which pathlib would tidy
            return "is not a file"
        with open(path, "rb"):  # noqa: PTH123 - as above
            return None
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}"


def _libraries_called(name: str, folder: Path) -> Iterator[Path]:
    """Yield the libraries of that name in `folder`, the least adorned first: ``libNAME.so`` before ``libNAME.so.2``."""
    try:
        entries = [entry for entry in os.listdir(folder) if _is_called(entry, name)]  # noqa: PTH208 - names are enough
    except OSError:
        return
    for entry in sorted(entries, key=lambda entry: (len(entry), entry)):
        if _problem_with(str(folder / entry)) is None:
            yield folder / entry


def _is_called(file_name: str, name: str) -> bool:
    found = _LIBRARY.match(file_name)
    wanted = _LIBRARY.match(name)
    # RFC 7512 §2.4: the name has no case and should have no affixes; with them it means the same.
    names = {name.lower(), name.lower().removeprefix("lib"), wanted[1].lower() if wanted else ""}
    return found is not None and found[1].lower() in names


def _configured(folders: ModuleFolders) -> Iterator[ModuleLocation]:
    for module in configured_modules(folders.p11_kit) if folders.p11_kit else ():
        if module.enabled and module.holds_keys and _problem_with(str(module.path)) is None:
            yield ModuleLocation(str(module.path), f"p11-kit's {module.source}")


def _well_known(folders: ModuleFolders, platform: str) -> Iterator[ModuleLocation]:
    for module in KNOWN_MODULES:
        path = module.path(platform)
        file_name = PureWindowsPath(path).name if path else ""
        candidates: Iterable[Path] = (folder / file_name for folder in folders.libraries) if file_name else ()
        for candidate in candidates:
            if _problem_with(str(candidate)) is None:
                yield ModuleLocation(str(candidate), module.product)


def _what_is_here(folders: ModuleFolders) -> str:
    paths = [display(location.path) for location in installed_modules(folders)]
    if not paths:
        return "none was found in the usual places"
    more = f" and {len(paths) - _MOST_LISTED} more" if len(paths) > _MOST_LISTED else ""
    return f"found here: {', '.join(paths[:_MOST_LISTED])}{more}"


def _linux_folders() -> tuple[Path, ...]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{machine.machine()}-linux-gnu"
    roots = (f"/usr/lib/{multiarch}", "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib")
    return tuple(Path(root, part) for root in roots for part in ("pkcs11", "softhsm", ""))


def _prefixed_folders() -> tuple[Path, ...]:
    return tuple(Path(prefix, "lib", part) for prefix in _PREFIXES for part in ("pkcs11", "softhsm", ""))


def _p11_kit_prefix() -> Path:
    prefixes = [Path(prefix) for prefix in _PREFIXES]
    configured = (prefix for prefix in prefixes if os.path.isdir(prefix / "etc/pkcs11"))  # noqa: PTH112 - as above
    return next(configured, prefixes[0])


def _vendor_folders(platform: str) -> tuple[Path, ...]:
    paths = [Path(path) for module in KNOWN_MODULES if (path := module.path(platform))]
    return tuple(dict.fromkeys(path.parent for path in paths))


def _user_folder(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME", "")
    # p11-kit reads nothing of the user's in a setuid or setgid program, or where it was told not to.
    changed_user = hasattr(os, "geteuid") and (os.geteuid(), os.getegid()) != (os.getuid(), os.getgid())
    if not os.path.isabs(home) or changed_user or environ.get("P11_KIT_NO_USER_CONFIG"):  # noqa: PTH117 - maybe empty
        return None
    return Path(home, ".config/pkcs11")
