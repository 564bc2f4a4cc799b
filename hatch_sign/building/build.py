"""One build of one target: checked before, signed after, and withdrawn where that fails."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.building.cleaning import remove_orphans
from hatch_sign.building.places import project_folder
from hatch_sign.building.quarantine import empty_quarantine, withdraw
from hatch_sign.building.signing import Preparation, load_anchored, prepare, sign_built
from hatch_sign.building.stale import artifacts_in, remove_all
from hatch_sign.contract.executables import allowed_executables
from hatch_sign.registry import Registry
from hatch_sign.values.display import display
from hatch_sign.values.errors import INTERRUPTED, HatchSignError

if TYPE_CHECKING:
    from hatch_sign.building.voice import Voice
    from hatch_sign.values.outcomes import Outcome


class Build:
    """What is built from `root` into `directory`. The clock and the terminal are looked at here and nowhere deeper."""

    def __init__(self, root: Path, directory: Path, environ: Mapping[str, str], voice: Voice) -> None:
        """Begin; nothing is read yet."""
        self._root = root
        self._directory = directory
        self._environ = environ
        self._voice = voice
        self._registry = Registry(executables=allowed_executables(environ))
        self._project = project_folder(root, directory)

    def clean(self) -> tuple[Path, ...]:
        """Remove the signatures whose artifacts are gone; return what was removed."""
        return remove_orphans(self._directory, self._registry.formats(), self._output_directory())

    def start(self) -> None:
        """Check what can be checked before the build: configuration, formats, trust. Ends the build where one is wrong."""
        empty_quarantine(self._project)
        try:
            deferred = self._preparation.deferred
        except HatchSignError as error:
            self._voice.abort(self._explain(error), error.exit_code)
        if deferred:
            names = ", ".join(map(display, deferred))
            self._voice.note_once(f"only a whole release is covered by {names}: run `hatch-sign sign` once it is built")

    def sign(self, built: Path) -> None:
        """Sign the artifact at `built`, or all in that folder; withdraw everything and end the build where that fails."""
        try:
            with _termination_interrupts():
                outcomes, removed = self._sign(built)
        except HatchSignError as error:
            self._fail(built, self._explain(error), error.exit_code)
        except KeyboardInterrupt:
            self._fail(built, "interrupted", INTERRUPTED)
        except OSError as error:
            where = f"{display(error.filename)}: " if error.filename else ""
            self._fail(built, f"{where}{error.strerror or type(error).__name__}", HatchSignError.exit_code)
        except BaseException as error:  # noqa: BLE001 - whatever went wrong, what is not signed must not stay
            # The text of a foreign exception may hold a credential; its name and where it came from do not.
            self._voice.debug("".join(traceback.format_tb(error.__traceback__)))
            self._fail(built, f"an error in hatch-sign or in a plugin: {type(error).__name__}", HatchSignError.exit_code)
        self._report(outcomes, removed)

    @cached_property
    def _preparation(self) -> Preparation:
        return prepare(self._root, self._project, self._environ, self._registry, _now())

    def _sign(self, built: Path) -> tuple[tuple[Outcome, ...], tuple[Path, ...]]:
        from hatch_sign.custody.context import RunContext  # noqa: PLC0415 - cleaning does not need it
        from hatch_sign.custody.terminal import terminal_prompt  # noqa: PLC0415 - as above

        context = RunContext(self._environ, prompt=terminal_prompt(), on_warning=self._voice.warn)
        return sign_built(self._preparation, built, folders=self._folders(), context=context, now=_now())

    def _report(self, outcomes: Iterable[Outcome], removed: Iterable[Path]) -> None:
        for path in removed:
            self._voice.note(f"removed {display(path.name)}: it was over an older build")
        for outcome in outcomes:
            where = f" in {display(Path(outcome.sidecar).name)}" if outcome.sidecar else ""
            self._voice.note(f"{display(outcome.place)}: {display(outcome.signature)} is {outcome.verdict.value}{where}")
            for warning in outcome.warnings:
                self._voice.warn(display(warning))

    def _fail(self, built: Path, reason: str, code: int) -> NoReturn:
        """Take away what was built, then all that would make it look like a release, and end the build."""
        formats = self._registry.formats()
        artifacts = artifacts_in(built, formats)
        fate = withdraw({path: path.relative_to(built.parent) for path in artifacts}, self._project)
        with suppress(Exception):  # of a plugin's verifier, or of the disk: the artifact itself is gone already
            for path in artifacts:
                remove_all(path, formats, self._folders())
        self._voice.abort(f"{display(built.name)} is not signed: {reason}; {fate}", code)

    def _folders(self) -> tuple[Path, ...]:
        """Return where signatures may lie besides their artifacts' own folders."""
        output = self._output_directory()
        return (self._directory,) if output is None else (self._directory, output)

    def _output_directory(self) -> Path | None:
        """Return the configured folder; None also for a configuration that is wrong, which others complain about."""
        try:
            return load_anchored(self._root, self._project, self._environ, self._registry).output_directory
        except HatchSignError:
            return None

    def _explain(self, error: HatchSignError) -> str:
        """Return an error as one line; several mistakes of a configuration are said before it, each on its own."""
        for detail in error.details:
            self._voice.detail(detail)
        return str(error)


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Make SIGTERM, by which runners cancel a job, an interruption: what is not signed yet must not stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)  # None: set by other than Python


def _now() -> datetime:
    return datetime.now(UTC)
