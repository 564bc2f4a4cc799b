"""Backends that keep the contract in their own ways, and some that break it; each opens ``odd:``."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, ClassVar

from hatch_sign.contract import hookimpl
from hatch_sign.contract.backends import KeyDescription, SecretRequest, Symptom
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import Entry, installed_entries
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import CustodyError, SecretUnavailableError
from hatch_sign.values.protection import Protection, ProtectionLevel

from ...contract.sketch_plugins import TurningService
from ...contract.sketches.pooled_backend import PooledSigner, VendorError
from ...contract.sketches.rotating_backend import RotatingBackend
from ...contract.sketches.software_keys import software_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign.values.algorithms import Scheme

SECRET = "s3cret-1n-a-message"  # noqa: S105 - it protects nothing
REQUEST = SecretRequest("pin", "odd token", "odd:", variables=("ODD_PIN",))
FOUND = Symptom("ok", "module", "it loads")
DESCRIPTION = KeyDescription(
    "odd:key",
    "key",
    "00",
    software_key(KeyAlgorithm.ECDSA_P256).public_key(),
    Protection(ProtectionLevel.SELF_ASSERTED, "-"),
)


class Silent:
    """Says nothing of itself, and opens a key without asking."""

    name = "odd"
    uri_schemes = ("odd",)

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[PooledSigner]:  # noqa: ARG002 (the port's)
        yield PooledSigner(software_key(KeyAlgorithm.ECDSA_P256))


class Plain(Silent):
    """Finds what it looks for, and asks for its PIN where the key is opened."""

    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield FOUND
        yield REQUEST

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[PooledSigner]:
        context.secret(REQUEST)
        context.warn("the token is tired")
        with super().open(reference, context) as signer:
            yield signer


class LastTry(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield replace(REQUEST, final_try=True)


class GoesOnAfterFailure(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield Symptom("failure", "token", "it is gone", "put it back")
        yield FOUND


class RaisesTheVendors(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield FOUND
        raise VendorError(SECRET)


class RaisesOurs(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield FOUND
        message = "the cable is out"
        raise CustodyError(message, remedy="plug it in")


class Exits(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield FOUND
        raise SystemExit(0)


class AsksForTheSecret(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        try:
            context.secret(REQUEST)
        except SecretUnavailableError:
            yield FOUND


class YieldsText(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield "all is well"


class YieldsAnotherStatus(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield Symptom("splendid", "token", "it shines")


class YieldsNoText(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        yield Symptom("ok", "token", b"bytes")


class YieldsNothing(Plain):
    def diagnose(self, reference: str, context: BackendContext) -> Any:  # noqa: ANN401, ARG002 - it breaks the port
        return None


class Lists(Plain):
    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:  # noqa: ARG002 (the port's)
        context.warn("the list is old")
        return [DESCRIPTION]


class ListsSeveral(Silent):
    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:  # noqa: ARG002 (the port's)
        return [DESCRIPTION, replace(DESCRIPTION, reference="odd:\x1bother")]


class ListsNone(Silent):
    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:  # noqa: ARG002 (the port's)
        return []


class ListsAfterLogin(Plain):
    def list_keys(self, reference: str, context: BackendContext) -> Sequence[KeyDescription]:  # noqa: ARG002 (the port's)
        context.secret(REQUEST)
        return [DESCRIPTION]


class PowerlessSigner(PooledSigner):
    """A key that its token lets sign by nothing."""

    schemes: Sequence[Scheme] = ()


class Powerless(Silent):
    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[PooledSigner]:  # noqa: ARG002 (the port's)
        yield PowerlessSigner(software_key(KeyAlgorithm.ECDSA_P256))


class TurnsOnce(Silent):
    """Has a certificate that is replaced before some of its signatures."""

    turns: ClassVar = frozenset({1})

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[Any]:  # noqa: ARG002 (the port's)
        service = TurningService()
        service.turns = self.turns
        with RotatingBackend(service).open("rotating:ecdsa-p256", context) as signer:
            yield signer


class KeepsTurning(TurnsOnce):
    turns: ClassVar = frozenset({1, 2})


def registry_of(backend: type[Silent]) -> Registry:
    """Return the core's plugins, and `backend` as if a distribution had brought it."""
    core = [entry for entry in installed_entries() if entry.distribution == "hatch-sign"]
    point = EntryPoint("backend.odd", f"{__name__}:{_Plugin.__name__}.{backend.__name__}", "hatch_sign")
    return Registry([*core, Entry("backend", "odd", "odd-signers", "7.1", point)])


class _Registered:
    def __init__(self, backend: type[Any]) -> None:
        self._backend = backend

    @hookimpl
    def hatch_sign_register_backend(self) -> Any:  # noqa: ANN401 - some break the port
        return self._backend()


class _Namespace(type):
    def __getattr__(cls, name: str) -> _Registered:
        return _Registered(globals()[name])


class _Plugin(metaclass=_Namespace):
    """Has a plugin for each backend above, by its name."""
