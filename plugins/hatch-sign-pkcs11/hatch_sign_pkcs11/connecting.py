"""One connection for each token of this process, shared by all who are connected to it."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from hatch_sign.values.display import display
from hatch_sign_pkcs11.connection import Connection
from hatch_sign_pkcs11.loaded import using_module
from hatch_sign_pkcs11.modules import find_module, others_may_replace
from hatch_sign_pkcs11.references import parse_pkcs11_reference
from hatch_sign_pkcs11.slots import select_token
from hatch_sign_pkcs11.translate import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_pkcs11.loaded import LoadedModule
    from hatch_sign_pkcs11.references import Pkcs11Reference

_connections: dict[tuple[str, int, str], Connection] = {}
_guard = threading.Lock()


@contextmanager
def connected(reference: Pkcs11Reference, context: BackendContext) -> Iterator[Connection]:
    """Lend the connection to the token of `reference`: one login, shared by all in this process who are connected to it.

    Raises ConfigurationError where no module is named, CustodyError.
    """
    path = find_module(reference, context.environ).path
    if others_may_replace(path):
        found = "others may replace this module, which is handed the PIN"
        context.warn(f"{display(path)}: {found}: chmod o-w it and its folder")
    with ExitStack() as stack:
        module = stack.enter_context(using_module(path))
        connection = _acquire(module, reference, context)
        stack.callback(_release, connection)
        yield connection


def parse_in_run(reference: str, context: BackendContext) -> Pkcs11Reference:
    """Take `reference` apart, with the environment of the run. Raises ConfigurationError."""
    return parse_pkcs11_reference(reference, context.environ)


def _acquire(module: LoadedModule, reference: Pkcs11Reference, context: BackendContext) -> Connection:
    with _guard:
        with module.calling(), translated(reference.text):
            facts = select_token(reference, module).facts
        key = (module.path, facts.slot_id, facts.serial)
        connection = _connections.get(key) or Connection(module, reference, context)
        _connections[key] = connection
        connection.users += 1
        return connection


def _release(connection: Connection) -> None:
    if os.getpid() != connection.process:  # See using_module.
        return
    with _guard:
        connection.users -= 1
        if connection.users == 0:
            for key in [key for key, value in _connections.items() if value is connection]:
                del _connections[key]
            connection.close()


def _forget_in_child() -> None:
    """Begin without logins in a forked child: those of its parent are not its own."""
    global _guard  # noqa: PLW0603 - it may have been held by a thread that the child does not have
    _guard = threading.Lock()
    _connections.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
