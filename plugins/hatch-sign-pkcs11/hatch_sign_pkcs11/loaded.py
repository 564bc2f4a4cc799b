"""Modules in this process: each loaded once, initialised for threads, and finalised when nobody uses it any more."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import pkcs11

from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError
from hatch_sign_pkcs11.cryptoki import Cryptoki, CryptokiError
from hatch_sign_pkcs11.gate import Gate
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - a class, whatever its name

CLAIM_TO_LOCK = ("tpm2-software",)
"""How the makers of modules call themselves that say they lock, and do not: of two threads in tpm2-pkcs11 1.9, one fails."""


class _OwnInstance:
    """The instance that python-pkcs11 has of a module that gives each caller one: nothing but the library reaches it."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def initialize(self) -> bool:
        """Initialise it anew, without threads, as python-pkcs11 does. Raises PKCS11Error."""
        self.finalize()
        self._library.initialize()
        return False

    def finalize(self) -> None:
        """End its sessions, if there are any; what is lost has none."""
        with suppress(pkcs11.PKCS11Error):
            self._library.finalize()


class LoadedModule:
    """One module of this process.

    Whoever calls into it does so inside :meth:`calling`; whoever begins anew closes `gate` first. `generation` counts
    the initialisations: sessions, logins and handles of an earlier one are void.
    """

    def __init__(self, path: str) -> None:
        """Load and initialise the module in `path`. Raises CustodyError."""
        self.path = path
        self.generation = 0
        self.users = 0
        self.gate = Gate()
        self._initialized = False
        with translated(f"the module {path}"):
            self.library, cryptoki = _load(path)
            self._instance = cryptoki if cryptoki.is_shared else _OwnInstance(self.library)
            self._initialize()

    @property
    def takes_threads(self) -> bool:
        """Whether several threads may call at once."""
        return isinstance(self._one_at_a_time, nullcontext)

    @contextmanager
    def calling(self) -> Iterator[int]:
        """Call into the module; gives the generation."""
        with self.gate.passing(), self._one_at_a_time:
            yield self.generation

    def reinitialize(self) -> None:
        """End all that this process has with the module, and begin anew; inside the closed gate. Raises CryptokiError."""
        self.generation += 1  # Whatever comes of it, what was there before is void.
        self._initialize()

    def finalize(self) -> None:
        """Give the module up; a failure changes nothing for anybody."""
        if self._initialized:
            with suppress(CryptokiError):
                self._instance.finalize()

    def _initialize(self) -> None:
        if self._initialized:  # Some modules complain on standard error where there is nothing to finalise.
            self._initialized = False
            self._instance.finalize()
        # At first, python-pkcs11 has initialised it without threads, or a parent process did before it forked.
        takes_threads = self._instance.initialize() and not self.library.manufacturer_id.startswith(CLAIM_TO_LOCK)
        self._one_at_a_time: nullcontext[None] | threading.Lock = nullcontext() if takes_threads else threading.Lock()
        self._initialized = True


_modules: dict[str, LoadedModule] = {}
_guard = threading.Lock()


@contextmanager
def using_module(path: str) -> Iterator[LoadedModule]:
    """Lend the module in `path`, loaded for its first user and finalised after its last. Raises CustodyError."""
    module = _acquire(path)
    process = os.getpid()
    try:
        yield module
    finally:
        if os.getpid() == process:  # A forked child that unwinds its parent's stack has nothing to give back.
            _release(module)


def _acquire(path: str) -> LoadedModule:
    with _guard:
        module = _modules.get(os.path.realpath(path)) or LoadedModule(path)
        _modules[os.path.realpath(path)] = module
        module.users += 1
        return module


def _release(module: LoadedModule) -> None:
    with _guard:
        module.users -= 1
        if module.users == 0:
            del _modules[os.path.realpath(module.path)]
            with module.gate.closed():
                module.finalize()


def _load(path: str) -> tuple[Library, Cryptoki]:
    try:
        # The system says best why something is no library.
        cryptoki = Cryptoki(path)
    except (OSError, AttributeError) as error:
        reason = display(error) if isinstance(error, OSError) else "it is no PKCS#11 module"
        message = f"the module {display(path)} cannot be loaded: {reason}"
        remedy = "check `module-path`, and that the module is made for this Python's architecture"
        failure = CustodyError(message, remedy=remedy)
    else:
        return pkcs11.lib(path), cryptoki
    raise failure from None


def _forget_in_child() -> None:
    """Begin anew in a forked child, which must initialise modules itself (PKCS#11 v2.40 usage §2.5.2)."""
    global _guard  # noqa: PLW0603 - it may have been held by a thread that the child does not have
    _guard = threading.Lock()
    _modules.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
