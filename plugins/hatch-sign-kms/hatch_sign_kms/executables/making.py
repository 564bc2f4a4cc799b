"""Have an executable make a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import KeyDescription
from hatch_sign.remote import parse_public_key_pem
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign.values.public_keys import describe_key
from hatch_sign_kms.executables import answers
from hatch_sign_kms.executables.asking import find
from hatch_sign_kms.executables.calls import Call
from hatch_sign_kms.executables.key import ExecutableKey
from hatch_sign_kms.executables.references import parse_executable_reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.values.algorithms import KeyAlgorithm
    from hatch_sign_kms.executables.references import ExecutableReference

_SPELLINGS = {
    "ecdsa-p256": r"(ecdsa|ecc?)?-?(nist-)?p-?256(-sha-?256)?|es256",
    "ecdsa-p384": r"(ecdsa|ecc?)?-?(nist-)?p-?384(-sha-?384)?|es384",
    "ecdsa-p521": r"(ecdsa|ecc?)?-?(nist-)?p-?521(-sha-?512)?|es512",
    "rsa-3072": r"rsa-?(pkcs1(v15|-v1-5)?-)?3072(-sha-?256)?",
    "rsa-4096": r"rsa-?(pkcs1(v15|-v1-5)?-)?4096(-sha-?256)?",
    "ed25519": r"(ec-sign-)?ed25519",
}
"""How executables spell the kinds of keys: the protocol fixes no names. In lower case, with ``-`` for every ``_``."""


def generate_key(reference: str, algorithm: KeyAlgorithm, context: BackendContext) -> KeyDescription:
    """Have the executable make a key of `algorithm` under the name in `reference`.

    Raises CustodyError where there is a key of that name, UnsupportedError where the executable makes none of this kind.
    """
    parsed = parse_executable_reference(reference)
    executable = find(parsed, context.environ, stopped=lambda: context.stopped)
    if executable.ask(Call("publicKey", parsed.key), answers.is_public_key_answer):
        message = f"{parsed.text}: there is a key of this name, and it is not replaced"
        raise CustodyError(message, remedy="choose another name")
    offered = executable.ask(Call("supportedAlgorithms", parsed.key), answers.parse_algorithms)
    call = Call("createKey", parsed.key, algorithm=_choose(algorithm, offered, parsed))
    made = parse_public_key_pem(executable.ask(call, answers.parse_created_key), executable.caller)
    key = ExecutableKey(executable, parsed.key)
    if describe_key(made) != algorithm.value or key.describe().public_key != made:
        executable.caller.reject_answer("made another key than the one that was asked for")
    return KeyDescription(f"{parsed.name}://{parsed.key}", parsed.key, "", made, key.protection())


def _choose(algorithm: KeyAlgorithm, offered: Sequence[str], reference: ExecutableReference) -> str:
    pattern = re.compile(_SPELLINGS[algorithm.value])
    for name in offered:
        if pattern.fullmatch(name.lower().replace("_", "-")):
            return name
    names = ", ".join(map(display, offered)) or "none"
    message = f"{reference.text}: the executable makes no {algorithm.value} key; it offers {names}"
    raise UnsupportedError(message)
