"""What lies between a reference and its key behind an executable, in the order in which opening the key would meet it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Symptom
from hatch_sign.contract.executables import ALLOW_VARIABLE
from hatch_sign.remote import QUICK
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.executables.asking import find
from hatch_sign_kms.executables.finding import require_allowed
from hatch_sign_kms.executables.key import ExecutableKey
from hatch_sign_kms.executables.references import parse_executable_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext


def diagnose(reference: str, context: BackendContext) -> Iterator[Symptom]:
    """Yield what is found, ending with the first failure. Raises ConfigurationError for a reference that is none.

    The executable is run, to show the public key: with what credentials is its own matter.
    """
    parsed = parse_executable_reference(reference)
    subject = "permission"
    try:
        require_allowed(parsed.name, context.environ)
        yield Symptom("ok", "permission", f"{ALLOW_VARIABLE} names {parsed.name}")
        subject = "executable"
        executable = find(parsed, context.environ, stopped=lambda: context.stopped)
        yield Symptom("ok", "executable", display(executable.path))
        subject = "key"
        facts = ExecutableKey(replace(executable, seconds=QUICK.total), parsed.key).describe()
        yield Symptom("ok", "key", f"{describe_key(facts.public_key)}, as {executable.caller.service} shows it")
    except HatchSignError as error:
        yield Symptom("failure", subject, error.message, error.remedy)
