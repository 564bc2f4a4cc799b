"""hatch-sign from the action's own folder, in an environment of its own; everything else by its digest."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, UsageError

Run = Callable[[Sequence[str], Mapping[str, str]], int]
"""Runs a program in an environment, lets the log hear it, and returns its exit code."""

LISTS: dict[str, tuple[str, ...]] = {
    "authenticode": ("authenticode",),
    "kms[aws]": ("kms-aws",),
    "kms[azure]": ("kms-azure",),
    "kms[google]": ("kms-google",),
    "kms[vault]": ("kms-vault",),
    "pkcs11": ("pkcs11",),
    "services": ("services",),
    "services[azure]": ("services-azure",),
    "sigstore": ("sigstore",),
}
"""The plugins that a step can ask for, and the lists of what each needs, in ``action/requirements``."""

_PLUGIN = re.compile(r"(?:hatch-sign-)?([a-z0-9]+)(?:\[([a-z, ]+)\])?")
_OF_KEYS = re.compile(
    r"^(?:HATCH_SIGN|COSIGN|TWINE|VAULT|BAO|AWS|AZURE|GOOGLE|ACTIONS_ID_TOKEN_REQUEST|SIGSTORE)_"
    r"|(?:^|_)(?:PIN|PASSWORD|PASSPHRASE|SECRET|TOKEN|SECRET_ACCESS_KEY|AUTH)$"
)
"""Variables that may lend a key, a credential or an identity: nothing that is installed needs them."""

_OF_INDEXES = frozenset(
    {
        "PIP_CACHE_DIR",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_CONFIG_FILE",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_INDEX_URL",
        "PIP_KEYRING_PROVIDER",
        "PIP_NO_CACHE_DIR",
        "PIP_NO_INDEX",
        "PIP_PROXY",
        "PIP_RETRIES",
        "PIP_TIMEOUT",
        "PIP_TRUSTED_HOST",
    }
)
"""Settings of pip that say where packages come from; others could install something else, or elsewhere."""

_MISLEADING = re.compile(r"PIP_|PYTHON|VIRTUAL_ENV$")
"""What would have pip, or the Python that builds, find other programs than those that are held against their digests."""


class InstallationError(HatchSignError):
    """What the action needs could not be installed."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is to be installed: folders of the action, and lists of what these need."""

    root: Path
    folders: tuple[Path, ...]
    lists: tuple[Path, ...]

    def digest(self) -> str:
        """Return what tells this installation from any other: all that goes into it, and the Python that runs it."""
        digest = hashlib.sha256(f"{sys.version}\0{sys.executable}\0{self.root}".encode())
        for path in sorted({*self.lists, *self._sources()}):
            digest.update(f"\0{path}\0".encode("utf-8", "surrogateescape") + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:32]

    def _sources(self) -> Iterable[Path]:
        for folder in self.folders:
            yield folder / "pyproject.toml"
            for package in folder.glob("hatch_sign*"):
                yield from (path for path in package.rglob("*") if path.suffix in {".py", ".json"} and path.is_file())


def choose(plugins: Sequence[str], *, root: Path, uploads: bool) -> Installation:
    """Return the installation for `plugins`, written ``pkcs11`` or ``hatch-sign-kms[aws,google]``.

    Raises UsageError for a plugin that the action does not bring along.
    """
    names = sorted({name for plugin in plugins for name in _names(plugin)})
    lists = ["hatch-sign", *(["upload"] if uploads else []), *(each for name in names for each in LISTS[name])]
    folders = {root / "plugins" / f"hatch-sign-{name.partition('[')[0]}" for name in names}
    return Installation(
        root=root,
        folders=(root, *sorted(folders)),
        lists=tuple(root / "action" / "requirements" / f"{name}.txt" for name in lists),
    )


def install(installation: Installation, *, folder: Path, environ: Mapping[str, str], run: Run) -> Path:
    """Return the Python of an environment below `folder` that has it all; made once for all steps of a job.

    Raises InstallationError where a step of it fails. An environment that was left unfinished is made afresh; OSError
    where it cannot be removed.
    """
    base = folder / installation.digest()
    python = base / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    finished = base / "finished"
    if finished.is_file():
        return python
    if base.exists():  # pip would take what is left in it for installed
        shutil.rmtree(base)
    plain = {name: value for name, value in environ.items() if _is_plain(name.upper())}
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps"]
    lists = [f"--requirement={path}" for path in installation.lists]
    for what, command in (
        ("make an environment", [sys.executable, "-I", "-m", "venv", str(base)]),
        ("install what hatch-sign needs", [*pip, "--require-hashes", "--only-binary=:all:", *lists]),
        ("install hatch-sign", [*pip, "--no-index", "--no-build-isolation", *map(str, installation.folders)]),
    ):
        if run(command, plain) != 0:
            message = f"could not {what}"
            raise InstallationError(message, remedy="the lines above say why")
    finished.touch()
    return python


def _is_plain(name: str) -> bool:
    return name in _OF_INDEXES or not (_OF_KEYS.search(name) or _MISLEADING.match(name))


def _names(plugin: str) -> list[str]:
    match = _PLUGIN.fullmatch(plugin.lower())
    extras = sorted(filter(None, re.split("[, ]+", match[2] or ""))) if match else []
    names = [f"{match[1]}[{extra}]" for extra in extras] or [match[1]] if match else []
    if not names or not all(name in LISTS for name in names):
        message = f"the action does not bring the plugin {display(plugin)!r}"
        raise UsageError(message, remedy=f"choose among {', '.join(LISTS)}; others can be used from the command line")
    return names
