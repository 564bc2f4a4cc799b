"""A service as the tests of the command line see it, and a project that signs with its key."""

from __future__ import annotations

import contextlib
import io
import os
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hatch_sign.cli import main
from tests.integration.cli.cli_project import Project, Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

FORGED = bytes.fromhex("3006020101020101")
"""The DER of a signature with r = s = 1: well-formed, and by nobody."""

PROGRAM = ("-m", "hatch_sign")
"""The program itself, in a process of its own."""

IMPATIENT = ("-c", "import random; random.random = lambda: 0.0; from hatch_sign.cli import main; raise SystemExit(main())")
"""A program that runs hatch-sign where every draw shortens the pause before a repetition to nothing."""

TROUBLES = ("throttled", "failed", "unavailable")
"""What passes, and is worth another attempt."""


@dataclass
class Cloud(ABC):
    """A service with its words for each trouble, and what its user has to know of it.

    `prefix` and a name are a reference, `whole` selects every key. `permission` is what signing needs and
    `reading_permission` what opening a key does; `protection` is the level of a key and one claim with its value;
    `diagnosis` is what the doctor tells. Without the variables `credentials` nobody logs in, where `alone` keeps an SDK from
    looking beyond the environment; `without_credential` is the pattern of what is said then.
    """

    scheme: str
    prefix: str
    whole: str
    permission: str
    reading_permission: str
    protection: tuple[str, str, str]
    diagnosis: tuple[str, ...]
    environ: Mapping[str, str]
    credentials: tuple[str, ...]
    alone: dict[str, str]
    without_credential: str
    secrets: tuple[str, ...]

    def reference(self, name: str) -> str:
        return self.prefix + name

    @abstractmethod
    def reset(self) -> None:
        """Forget every trouble and every call."""

    @abstractmethod
    def fail(self, trouble: str, times: int) -> None:
        """Let the next calls that sign run into one of `TROUBLES`, or into ``expired``: the credential is refused."""

    @abstractmethod
    def deny(self) -> None:
        """Take the permission to sign away."""

    @abstractmethod
    def deny_reading(self) -> None:
        """Take the permission to open a key away."""

    @abstractmethod
    def forge(self) -> None:
        """Answer every signature by one that nobody made."""

    @abstractmethod
    def rotate(self, name: str) -> None:
        """Let another key answer to `name` from now on."""

    @abstractmethod
    def before_signing(self, hook: Callable[[], None]) -> None:
        """Call `hook` before each signature is made."""

    @abstractmethod
    def end_after(self, signatures: int) -> None:
        """Let the service end once it has signed so often."""

    @abstractmethod
    def slow_down(self, seconds: float) -> None:
        """Let each call take so much longer."""

    @abstractmethod
    def signatures(self) -> int:
        """Return how often a signature was asked for."""

    @abstractmethod
    def most_at_once(self) -> int:
        """Return how many calls were under way at once at the most."""


@dataclass(frozen=True, slots=True)
class CloudProject(Project):
    """A project whose every output is held to show none of `secrets`.

    Commands run in this process, unless `program` asks for one of their own: what an SDK reads when it is loaded, and what
    it writes past Python's streams, is seen there only, and takes most of a second.
    """

    secrets: tuple[str, ...] = ()

    def run(self, *arguments: str, program: Sequence[str] = (), **environ: str) -> Ran:
        if program:
            ran = Project.run(self, *arguments, program=program, **environ)
        else:
            ran = self._run_here(arguments, {**self.environ, **environ})
        assert not [secret for secret in self.secrets if secret in ran.output], ran.output
        return ran

    def signed(self) -> list[str]:
        """Return the names of the sidecars that are there."""
        return sorted(path.name for path in self.dist.iterdir() if path.name.endswith(".json"))

    def unfinished(self) -> list[str]:
        """Return what is neither an artifact nor a sidecar."""
        return [
            path.name for path in self.dist.iterdir() if not re.fullmatch(r"tool-\d+\.bin(\.sigstore\.json)?", path.name)
        ]

    def sign(self, reference: str, *, program: Sequence[str] = ()) -> None:
        """Sign every artifact; nothing else may have been written."""
        ran = self.run("sign", "dist", "--key", reference, program=program)
        assert ran.code == 0, ran.output
        assert self.signed() == sorted(f"{path.name}.sigstore.json" for path in self.dist.glob("tool-*.bin"))
        assert self.unfinished() == []

    def fail_to_sign(self, reference: str, *, program: Sequence[str] = ()) -> str:
        """Sign what cannot be signed, and return the error; nothing may have been written."""
        ran = self.run("sign", "dist", "--key", reference, program=program)
        assert ran.code == 3, ran.output
        assert self.signed() == []
        assert self.unfinished() == []
        (error,) = [line for line in ran.err.splitlines() if line.startswith("hatch-sign: error: ")]
        assert reference in error
        return error

    def _run_here(self, arguments: Sequence[str], environ: Mapping[str, str]) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(self.folder):
            for name in set(os.environ) - set(environ):
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(arguments)
        return Ran(code, out.getvalue(), err.getvalue())


def make_project(cloud: Cloud, folder: Path, *, artifacts: int = 1) -> CloudProject:
    """Return a folder with artifacts and the environment of the cloud's user."""
    project = CloudProject(folder, {**cloud.environ, "PATH": "", "HOME": str(folder)}, cloud.secrets)
    project.dist.mkdir()
    for number in range(artifacts):
        project.add(f"tool-{number}.bin", b"what is released, number %d" % number)
    return project
