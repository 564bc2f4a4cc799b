"""A module that stands before SoftHSM, counts its calls, and can be told to answer as other tokens do.

The signatures and objects are the real ones behind it; only what a test sets is answered otherwise. It is compiled from
``interposer.c``, whose head lists what can be set.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ... import rigs
from ..tokens import softhsm
from ..tokens.real_token import LABEL, PIN, softhsm_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EPOCHS = itertools.count(1)
_SOURCE = Path(__file__).with_name("interposer.c")


@dataclass(frozen=True)
class Interposer:
    """A token of SoftHSM behind the interposer, in this process; `set` tells it how to answer from now on."""

    module: Path
    folder: Path
    environ: Mapping[str, str]
    patch: pytest.MonkeyPatch

    def reference(self, key: str = "", **query: str) -> str:
        """Return the reference of a key by its label, or of the token; the PIN is in ``HATCH_SIGN_PIN``."""
        path = f"token={LABEL}" + (f";object={key}" if key else "")
        settings = {"module-path": str(self.module)} | query
        return f"pkcs11:{path}?" + "&".join(f"{name}={value}" for name, value in settings.items())

    def set(self, **settings: object) -> None:
        """Set ``INTERPOSER_NAME`` for each name; None takes one back."""
        for name, value in settings.items():
            variable = f"INTERPOSER_{name.upper()}"
            if value is None:
                self.patch.delenv(variable, raising=False)
            else:
                self.patch.setenv(variable, str(value))

    def calls(self) -> collections.Counter[str]:
        """Return how often each function was called since :meth:`forget_calls`."""
        log = self.folder / "calls"
        return collections.Counter(log.read_text().split() if log.exists() else [])

    def forget_calls(self) -> None:
        """Begin to count anew, also those calls after which something is to fail."""
        (self.folder / "calls").unlink(missing_ok=True)
        self.set(epoch=next(_EPOCHS))


def build_interposer(folder: Path) -> Path:
    """Compile the module into `folder`; skips the test without a compiler, or fails it under continuous integration."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        rigs.skip_or_fail("no C compiler is on the path: apt-get install gcc libc6-dev")
    module = folder / "interposer.so"
    command = [str(compiler), "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(module), str(_SOURCE)]
    subprocess.run([*command, "-ldl", "-lpthread"], check=True, capture_output=True)
    return module


@contextlib.contextmanager
def interposed_token(module: Path) -> Iterator[Interposer]:
    """Make a token of SoftHSM that is reached through the interposer, whose settings end with it."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        environ = softhsm.initialise_softhsm(folder)
        environ |= {"INTERPOSER_MODULE": str(softhsm_module()), "INTERPOSER_LOG": str(folder / "calls")}
        environ |= {"HATCH_SIGN_PIN": PIN}
        for variable in [variable for variable in os.environ if variable.startswith("INTERPOSER_")]:
            patch.delenv(variable)
        for variable, value in environ.items():
            patch.setenv(variable, value)
        yield Interposer(module, folder, environ, patch)
