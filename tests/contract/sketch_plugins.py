"""The sketches as plugins, and a registry that finds them beside the core's own as if they were installed."""

from __future__ import annotations

import threading
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from hatch_sign.contract import hookimpl
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import Entry, installed_entries
from hatch_sign.registry.known import KNOWN_PLUGINS

from .sketches import container_format, release_format
from .sketches.pooled_backend import PooledBackend
from .sketches.rotating_backend import RotatingBackend, RotatingService
from .sketches.toy_witness import ToyAuthority, ToyLog, ToyProvider

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.x509 import Certificate

    from hatch_sign.contract import Backend, Evidence, WitnessProvider, WitnessRequest
    from hatch_sign.values.algorithms import KeyAlgorithm, Scheme


class TurningService(RotatingService):
    """A service that takes a new leaf in the middle of a batch: before each signature whose number is in `turns`."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = frozenset({5})
        self.asked = 0
        self._lock = threading.RLock()

    def sign(self, algorithm: KeyAlgorithm, digest: bytes, scheme: Scheme) -> tuple[bytes, Certificate]:
        with self._lock:
            self.asked += 1
            if self.asked in self.turns:
                self.generation += 1
            return super().sign(algorithm, digest, scheme)


class Pooled:
    """The plugin ``backend.pooled``."""

    @staticmethod
    @hookimpl
    def hatch_sign_register_backend() -> Backend:
        return PooledBackend()


class Rotating:
    """The plugin ``backend.rotating``; each registry has a service of its own."""

    @staticmethod
    @hookimpl
    def hatch_sign_register_backend() -> Backend:
        return RotatingBackend(TurningService())


class ReplayingAuthority(ToyAuthority):
    """An authority that answers every question with what it said to the first."""

    def attest(self, request: WitnessRequest) -> Evidence:
        if not hasattr(self, "_first"):
            object.__setattr__(self, "_first", super().attest(replace(request, signature=b"of somebody else")))
        first: Evidence = self._first  # type: ignore[attr-defined] # set above, on a frozen dataclass
        return first


class Provider(ToyProvider):
    """The sketch of witnesses under the name by which the core looks for timestamp authorities."""

    name = "rfc3161"


class Witnessing:
    """The plugin ``witness.rfc3161``."""

    @staticmethod
    @hookimpl
    def hatch_sign_register_witness() -> WitnessProvider:
        return Provider({"toy:time": ToyAuthority(), "toy:log": ToyLog(), "toy:replay": ReplayingAuthority()})


def sketch_registry() -> Registry:
    """Return a registry of the core and the sketches; the sketch of witnesses stands for the core's own."""
    core = [entry for entry in installed_entries() if entry.distribution == "hatch-sign" and entry.kind != "witness"]
    return Registry([*core, *_SKETCHES])


def _entry(point: str, plugin: type | ModuleType, distribution: str = "hatch-sign-sketches") -> Entry:
    kind, _, name = point.partition(".")
    target = f"{plugin.__module__}:{plugin.__qualname__}" if isinstance(plugin, type) else plugin.__name__
    return Entry(kind, name, distribution, "1.0", EntryPoint(point, target, "hatch_sign"))


_SKETCHES = (
    _entry("backend.pooled", Pooled),
    _entry("backend.rotating", Rotating),
    _entry("format.toy-container", container_format),
    _entry("format.toy-release", release_format),
    _entry("witness.rfc3161", Witnessing, KNOWN_PLUGINS["witness.rfc3161"]),
)
