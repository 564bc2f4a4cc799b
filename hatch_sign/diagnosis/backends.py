"""What a backend says of itself, held against the contract: a plugin may yield, raise or ask whatever it likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import SecretRequest, Symptom
from hatch_sign.diagnosis.secrets import NoSecrets
from hatch_sign.values.errors import HatchSignError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hatch_sign.contract.backends import Diagnoses
    from hatch_sign.registry.entries import Entry

_STATUSES = frozenset({"ok", "warning", "failure"})
_END = object()


def ask_backend(
    backend: Diagnoses, reference: str, *, entry: Entry, environ: Mapping[str, str], on_warning: Callable[[str], None]
) -> Iterator[Symptom | SecretRequest]:
    """Yield what the backend finds, ending with its first failure.

    Raises PluginError, naming the distribution of `entry`, for one that asks for a secret or yields anything else, and
    what the backend raises.
    """
    context = NoSecrets(environ, on_warning=on_warning)
    steps = iter(backend.diagnose(reference, context))
    while (step := _next(steps, context, entry)) is not _END:
        if not isinstance(step, SecretRequest | Symptom) or not _is_well_formed(step):
            raise _broken(
                entry, f"its diagnosis holds a {type(step).__name__} that is neither a Symptom nor a SecretRequest"
            )
        yield step
        if isinstance(step, Symptom) and step.status == "failure":
            return


def _next(steps: Iterator[object], context: NoSecrets, entry: Entry) -> object:
    failure: HatchSignError | None = None
    step: object = _END
    try:
        step = next(steps, _END)
    except HatchSignError as error:
        failure = error
    if context.asked:  # whatever it made of the refusal
        raise _broken(entry, "its diagnosis asked for a secret")
    if failure is not None:
        raise failure
    return step


def _is_well_formed(step: Symptom | SecretRequest) -> bool:
    if isinstance(step, SecretRequest):
        return True
    texts: tuple[object, ...] = (step.subject, step.found, step.remedy)
    return step.status in _STATUSES and all(isinstance(text, str) for text in texts)


def _broken(entry: Entry, what: str) -> PluginError:
    message = f"{entry.title} breaks the plugin contract: {what}"
    return PluginError(message, remedy=f"ask the author of {entry.distribution}")
