"""A bundle signer behind a gate: as many calls at once as it takes, bytes or an error of ours, and nothing after its end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hatch_sign.custody.gated import Gated, entered
from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hatch_sign.contract import BackendContext, BundleBackend, BundleSigner, LogVersion
    from hatch_sign.values.protection import Protection


class CheckedBundleSigner(Gated["BundleSigner"]):
    """A bundle signer behind its gate; what it signs, it has verified, as the port demands."""

    what = "the identity"

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
        return self._bundle(lambda signer: signer.sign_artifact(digest))

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return a bundle with the statement in a DSSE envelope."""
        return self._bundle(lambda signer: signer.sign_statement(statement, log=log))

    def has_signed(self, bundle: bytes, digest: bytes | None = None) -> bool:
        """Return whether the bundle verifies and is by this identity; see the port."""
        return bool(self._read(lambda signer: signer.has_signed(bundle, digest)))

    def _bundle(self, operation: Callable[[BundleSigner], bytes]) -> bytes:
        bundle: object = self._call(operation)
        if isinstance(bundle, bytes):
            return bundle
        message = f"{self._shown}: it answered with a {type(bundle).__name__} in place of a bundle"
        raise PluginError(message)


@contextmanager
def open_bundle_signer(backend: BundleBackend, reference: str, context: BackendContext) -> Iterator[CheckedBundleSigner]:
    """Prove the identity, lend its signer, and end its session; raises as ``open_signer`` does."""
    with entered(lambda: backend.open(reference, context), reference, context) as signer:
        checked = CheckedBundleSigner(signer, reference=reference)
        try:
            yield checked
        finally:
            checked.close()
