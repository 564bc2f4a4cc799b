"""The identity that signs: a certificate for a key of this run, renewed where it ends, and bundles that were verified."""

from __future__ import annotations

import hashlib
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from sigstore.dsse import Statement
from sigstore.hashes import Hashed
from sigstore.sign import Signer

from hatch_sign.formats.certificates import parse_certificate
from hatch_sign.formats.dsse import Envelope
from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.values.display import display
from hatch_sign.values.errors import CustodyError, HatchSignError, MalformedError, WitnessError
from hatch_sign.values.protection import Protection, ProtectionLevel
from hatch_sign_sigstore.claims import Claims, read_claims
from hatch_sign_sigstore.identity.checking import Checker
from hatch_sign_sigstore.signing.translate import classify

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigstore.models import Bundle
    from sigstore.oidc import IdentityToken

    from hatch_sign.contract import LogVersion
    from hatch_sign_sigstore.signing.services import Services
    from hatch_sign_sigstore.signing.tokens import TokenSource

T = TypeVar("T")

_MARGIN = timedelta(seconds=60)
"""How long before its end a certificate is not used any more: the log's time must lie before it, too."""


class KeylessSigner:
    """A :class:`~hatch_sign.contract.BundleSigner`; its first certificate is had when it is made."""

    protection = Protection(
        ProtectionLevel.SOFTWARE,
        "a key made for this run in memory, and forgotten after it: the identity is what is trusted",
    )

    def __init__(
        self, name: str, services: Services, tokens: TokenSource, token: IdentityToken, *, concurrency: int
    ) -> None:
        """Have the identity in `token` certified; `tokens` gives others later. Raises CustodyError."""
        self._name = name
        self._services = services
        self._tokens = tokens
        self._concurrency = concurrency
        self._checker = Checker(services.root)
        self._lock = threading.Lock()
        self._verified: set[bytes] = set()
        self._signer, self._ends = self._certified(token)
        self._claims = self._read_claims()

    @property
    def identity(self) -> str:
        """The subject alternative name of the certificates."""
        return self._claims.identity

    @property
    def issuer(self) -> str:
        """The issuer that the certificates name."""
        return self._claims.issuer

    @property
    def concurrency(self) -> int:
        """As many calls as the run has under way: they wait for the network."""
        return self._concurrency

    def sign_artifact(self, digest: bytes) -> bytes:
        """Return a verified bundle over the artifact of this SHA-256 digest."""
        hashed = Hashed.model_validate({"algorithm": "SHA2_256", "digest": digest})
        return self._signed(lambda signer: signer.sign_artifact(hashed), digest)

    def sign_statement(self, statement: bytes, *, log: LogVersion = "any") -> bytes:
        """Return a verified bundle round the statement. Raises ConfigurationError where the instance lacks such a log."""
        with self._services.logging_to(log):
            bundle = self._signed(lambda signer: signer.sign_dsse(Statement(statement)), b"")
        content = parse_bundle(bundle).content
        if not isinstance(content, Envelope) or content.payload != statement:
            message = f"{self._name}: the bundle is round another statement than was to be signed"
            raise WitnessError(message, remedy="report this; nothing was written")
        return bundle

    def has_signed(self, bundle: bytes, digest: bytes | None = None) -> bool:
        """Return whether the bundle verifies and is by this identity; see the port."""
        try:
            if _mark(bundle, digest or b"") in self._verified:
                return True
            content = parse_bundle(bundle).content
            if not isinstance(content, Envelope) and digest is None:
                return False
            return not self._problem_of(bundle, b"" if isinstance(content, Envelope) else digest or b"")
        except Exception:  # noqa: BLE001 - the port never raises: what cannot be read was not signed by us
            return False

    def _signed(self, sign: Callable[[Signer], Bundle], digest: bytes) -> bytes:
        """Sign and verify; once more by a new certificate where the first one ended meanwhile."""
        for _ in range(2):
            signer, ends = self._usable()
            bundle = self._made(lambda: sign(signer)).to_json().encode()  # noqa: B023 - called within the turn
            problem = self._problem_of(bundle, digest)
            if not problem:
                self._verified.add(_mark(bundle, digest))
                return bundle
            if datetime.now(UTC) < ends:
                break
        message = f"{self._name}: what came back does not verify: {display(problem)}"
        raise WitnessError(
            message, remedy="check that the trust configuration belongs to these services; nothing was written"
        )

    def _usable(self) -> tuple[Signer, datetime]:
        with self._lock:
            lifetime = self._ends - self._services.certificate.not_valid_before_utc
            if datetime.now(UTC) >= self._ends - min(_MARGIN, lifetime / 10):
                self._signer, self._ends = self._certified(self._tokens.fetch())
                self._require_same(self._read_claims())
            return self._signer, self._ends

    def _certified(self, token: IdentityToken) -> tuple[Signer, datetime]:
        signer = self._made(lambda: Signer(token, self._services.context))
        return signer, self._services.certificate.not_valid_after_utc

    def _read_claims(self) -> Claims:
        try:
            return read_claims(self._services.certificate)
        except MalformedError as error:
            message = f"{self._name}: Fulcio issued a certificate that cannot be used: {error.message}"
        raise CustodyError(message)

    def _require_same(self, claims: Claims) -> None:
        if (claims.identity, claims.issuer) != (self.identity, self.issuer):
            message = f"{self._name}: the identity changed in the middle of the run, to {display(claims.signer)}"
            raise CustodyError(message, remedy="run again: what is signed by the first one stays")

    def _problem_of(self, bundle: bytes, digest: bytes) -> str:
        """Return why the bundle is not verified as one by this identity; empty where it is."""
        problem = self._checker.problem_in(bundle, digest)
        if problem:
            return problem
        (leaf, *_) = parse_bundle(bundle).certificates
        claims = read_claims(parse_certificate(leaf, subject="the certificate in the bundle"))
        if (claims.identity, claims.issuer) == (self.identity, self.issuer):
            return ""
        return f"it is by {claims.signer}"

    def _made(self, make: Callable[[], T]) -> T:
        """Return what sigstore-python makes; what it raises beside our errors is told of as a failure of its answers."""
        failure: HatchSignError
        try:
            return make()
        except HatchSignError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - its text may hold the token
            known = classify(error)
            what = f"{known.phrase}" if known else f"failed ({type(error).__name__})"
            failure = CustodyError(f"{self._name}: the Sigstore instance {what}")
        raise failure


def _mark(bundle: bytes, digest: bytes) -> bytes:
    """Return what stands for a bundle over an artifact, so that what was verified once in a run is not verified again."""
    return hashlib.sha256(hashlib.sha256(bundle).digest() + digest).digest()
