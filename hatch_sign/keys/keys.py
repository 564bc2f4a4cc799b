"""Every key that an installed backend opens, behind one door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.backends import MakesKeys
from hatch_sign.contract.references import parse_reference, without_query
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import RunContext
from hatch_sign.custody.gated import unchained
from hatch_sign.custody.terminal import terminal_prompt
from hatch_sign.registry import Registry
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from hatch_sign.contract.backends import Backend
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.values.public_keys import PublicKey


class Keys:
    """The keys of one run: a secret is asked for once, and a wrong one is tried once, whichever keys need it.

    Secrets come from `environ`, a keyring, or a person at the terminal; `on_warning` gets one line at a time. Executables
    are not among the backends, whatever `environ` allows: one that lends keys would end up calling itself. Every method
    raises HatchSignError only: ConfigurationError for a reference that is none, PluginError for a backend that is missing.
    """

    def __init__(self, environ: Mapping[str, str], *, on_warning: Callable[[str], None]) -> None:
        """Begin a run; nothing is opened yet."""
        self._registry = Registry()
        self._context = RunContext(environ, on_warning=on_warning, prompt=terminal_prompt())

    def open(self, reference: str) -> AbstractContextManager[CheckedSigner]:
        """Return what logs in when it is entered, lends a signer that checks what it returns, and logs out when left.

        Raises CustodyError when it is entered: KeyNotFoundError, SecretRejectedError and their like.
        """
        return open_signer(self._backend(reference), reference, self._context)

    def algorithms(self, reference: str) -> Sequence[KeyAlgorithm]:
        """Return the kinds of keys that :meth:`generate` may be asked for; none where the backend makes no keys."""
        return tuple(KeyAlgorithm) if isinstance(self._backend(reference), MakesKeys) else ()

    def generate(self, reference: str, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a key, and return its public half.

        Raises UnsupportedError for a backend that makes no keys, or none of this kind, CustodyError where there is one
        already.
        """
        backend = self._backend(reference)
        subject = display(without_query(reference))
        if not isinstance(backend, MakesKeys):
            message = f"{subject}: the backend {backend.name} does not make keys"
            raise UnsupportedError(message, remedy="make it with the tools of the token or service")
        return unchained(lambda: backend.generate_key(reference, algorithm, self._context), subject=subject).public_key

    def _backend(self, reference: str) -> Backend:
        return self._registry.backend(parse_reference(reference).scheme)
