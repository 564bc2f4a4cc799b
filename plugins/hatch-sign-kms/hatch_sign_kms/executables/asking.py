"""Ask one executable about one key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hatch_sign.remote import Failure, FailureKind, ServiceCaller
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, MalformedError
from hatch_sign_kms.executables import answers
from hatch_sign_kms.executables.calls import PREFIX, VERSION, encode_call
from hatch_sign_kms.executables.finding import clean_environment, find_executable, require_allowed, without_secrets
from hatch_sign_kms.executables.running import run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hatch_sign_kms.executables.calls import Call
    from hatch_sign_kms.executables.references import ExecutableReference
    from hatch_sign_kms.executables.running import Finished

T = TypeVar("T")
_REMEDY = "see its documentation"

SECONDS = 60.0
"""How long one call may take: the executable may have to log in to its service, and to repeat what fails there."""


@dataclass(frozen=True, slots=True)
class Executable:
    """An executable that was found; asked from any thread, a process for each call.

    It runs in the folder that it was found in, never in the project's.
    """

    path: str
    environ: Mapping[str, str]
    caller: ServiceCaller
    seconds: float = SECONDS
    stopped: Callable[[], bool] = lambda: False

    def ask(self, call: Call, parse: Callable[[bytes], T], message: bytes = b"") -> T:
        """Return what `parse` reads from the answer to `call`; `message` stands on standard input.

        Raises CustodyError: for what the executable refuses, with its reason, and for what is no answer. An executable
        repeats by itself what is worth repeating.
        """
        try:
            done = run_program(
                [self.path, VERSION, encode_call(call)],
                message,
                environ=self.environ,
                directory=os.path.dirname(self.path),  # noqa: PTH120 - as PATH has it, a text
                seconds=self.seconds,
                largest=answers.LARGEST,
                stopped=self.stopped,
            )
        except CustodyError as error:
            failed = f"{self.caller.key}: {error.message}"
            raise CustodyError(failed, remedy=error.remedy) from None
        return self._read(done, parse)

    def _read(self, done: Finished, parse: Callable[[bytes], T]) -> T:
        try:
            return parse(done.output)
        except answers.Refusal as refusal:
            failure = Failure(
                FailureKind.INVALID, found=f"refused: {self._shown(str(refusal))}", remedy="see its documentation"
            )
        except MalformedError as error:
            last = self._shown(done.errors.decode("utf-8", "replace").strip().rpartition("\n")[2])
            said = f"; its last words were: {last}" if last else ""
            found = f"gave no answer of protocol {VERSION}: {error.message}{said}"
            failure = Failure(FailureKind.MALFORMED, str(done.status), found, remedy=_REMEDY)
        raise self.caller.error(failure)

    def _shown(self, text: str) -> str:
        return display(without_secrets(text, self.environ))


def find(
    reference: ExecutableReference, environ: Mapping[str, str], *, stopped: Callable[[], bool] = lambda: False
) -> Executable:
    """Return the executable of `reference`, which is ended once `stopped` says that the run is being given up.

    Raises ConfigurationError where it is not allowed, CustodyError.
    """
    require_allowed(reference.name, environ)
    path = find_executable(reference.name, environ, directory=os.getcwd())  # noqa: PTH109 - as above
    caller = ServiceCaller(PREFIX + reference.name, reference.text, classify=lambda _error: None)
    return Executable(path, clean_environment(environ), caller, stopped=stopped)
