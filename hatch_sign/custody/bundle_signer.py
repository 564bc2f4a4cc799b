"""A bundle signer behind a gate: as many calls at once as it takes, bytes or an error of ours, and nothing after its end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from hatch_sign.contract.references import without_query
from hatch_sign.custody.checked_signer import checked_concurrency, entered, unchained
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, PluginError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hatch_sign.contract import BackendContext, BundleBackend, BundleSigner, LogVersion
    from hatch_sign.values.protection import Protection

T = TypeVar("T")


class CheckedBundleSigner:
    """A bundle signer behind a gate of its own `concurrency`; what it signs, it has verified, as the port demands.

    Any thread may call it, as many at once as like. `reference` is shown in messages, without its query. Every failure is
    a HatchSignError without a chain: of another exception only the type is named, for its text may hold the token.
    """

    def __init__(self, signer: BundleSigner, *, reference: str) -> None:
        """Wrap `signer`, which stays whose it was. Raises PluginError for one that takes no call at all."""
        self._signer: BundleSigner | None = signer
        self._reference = without_query(reference)
        self._gate = threading.BoundedSemaphore(checked_concurrency(lambda: signer.concurrency, subject=self._shown))
        self._counter = threading.Lock()
        self._calls = 0

    @property
    def reference(self) -> str:
        """The reference without its query."""
        return self._reference

    @property
    def calls(self) -> int:
        """How many bundles it was asked for, successes and failures together."""
        return self._calls

    @property
    def identity(self) -> str:
        """Who signs, as the certificates name it."""
        return self._read(lambda signer: signer.identity)

    @property
    def issuer(self) -> str:
        """Who vouches for the identity."""
        return self._read(lambda signer: signer.issuer)

    @property
    def credential(self) -> str:
        """The identity and its issuer, as records name what signed."""
        return f"{self.identity} ({self.issuer})"

    @property
    def protection(self) -> Protection:
        """How the key is kept."""
        return self._read(lambda signer: signer.protection)

    def sign_artifact(self, digest: bytes) -> bytes:
        """Return a bundle with a message signature over the artifact of this SHA-256 digest."""
        return self._call(lambda signer: signer.sign_artifact(digest))

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return a bundle with the statement in a DSSE envelope."""
        return self._call(lambda signer: signer.sign_statement(statement, log=log))

    def has_signed(self, bundle: bytes, digest: bytes | None = None) -> bool:
        """Return whether the bundle verifies and is by this identity; see the port."""
        return bool(self._read(lambda signer: signer.has_signed(bundle, digest)))

    def close(self) -> None:
        """Refuse everything from now on; the backend itself is left by whoever entered it."""
        self._signer = None

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: the identity belongs to this session."""
        message = f"{self._shown}: an identity that signs cannot be copied"
        raise UnsupportedError(message)

    @property
    def _shown(self) -> str:
        return display(self._reference)

    def _call(self, operation: Callable[[BundleSigner], bytes]) -> bytes:
        with self._gate:
            with self._counter:
                self._calls += 1
            bundle: object = self._read(operation)
        if isinstance(bundle, bytes):
            return bundle
        message = f"{self._shown}: it answered with a {type(bundle).__name__} in place of a bundle"
        raise PluginError(message)

    def _read(self, operation: Callable[[BundleSigner], T]) -> T:
        signer = self._signer
        if signer is None:
            message = f"{self._shown}: the identity was closed"
            raise CustodyError(message, remedy="open it again")
        return unchained(lambda: operation(signer), subject=self._shown)


@contextmanager
def open_bundle_signer(backend: BundleBackend, reference: str, context: BackendContext) -> Iterator[CheckedBundleSigner]:
    """Prove the identity, lend its signer, and end its session; raises as ``open_signer`` does."""
    with entered(lambda: backend.open(reference, context), reference, context) as signer:
        checked = CheckedBundleSigner(signer, reference=reference)
        try:
            yield checked
        finally:
            checked.close()
