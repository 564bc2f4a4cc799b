"""The registry: what is installed, by kind and name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hatch_sign.contract.executables import EXECUTABLES
from hatch_sign.contract.references import parse_reference
from hatch_sign.registry.entries import KINDS, Entry, choose, installed_entries
from hatch_sign.registry.known import KNOWN_PLUGINS
from hatch_sign.registry.loading import import_plugin, load_registered, new_manager, register
from hatch_sign.registry.observing import Observers
from hatch_sign.values.errors import PluginError

if TYPE_CHECKING:
    from hatch_sign.contract import Backend, BundleBackend, Format, Publisher, TrustKind, WitnessProvider


@dataclass(frozen=True, slots=True)
class PluginRow:
    """One line of ``hatch-sign plugins``: `problem` is empty for a plugin that loads and keeps the contract."""

    kind: str
    name: str
    distribution: str
    version: str
    summary: str
    problem: str = ""


class Registry:
    """Plugins by kind and name, each loaded once, when it is first asked for.

    `entries` stands in for what is installed; `executables` are the ``sigstore-kms-NAME`` that the environment allows
    where no plugin has the scheme. Every method raises PluginError for a plugin that is missing or broken.
    """

    def __init__(self, entries: Sequence[Entry] | None = None, *, executables: Collection[str] = ()) -> None:
        self._given = entries
        self._executables = frozenset(executables)
        self._loaded: dict[tuple[str, str], Any] = {}

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The entry points, read once."""
        return installed_entries() if self._given is None else tuple(self._given)

    def backend(self, scheme: str) -> Backend:
        """Return the backend that opens references of this URI scheme."""
        backend: Backend = self._load("backend", self._backend_name(scheme))
        return backend

    def backend_entry(self, scheme: str) -> Entry:
        """Return the entry point of the backend that opens references of this URI scheme; nothing is imported."""
        return choose(self.entries, "backend", self._backend_name(scheme))

    def backend_of(self, reference: str) -> Backend:
        """Return the backend that opens `reference`."""
        return self.backend(parse_reference(reference).scheme)

    def signs_bundles(self, reference: str) -> bool:
        """Return whether `reference` names an identity that signs whole bundles, rather than a key; nothing is imported."""
        scheme = parse_reference(reference).scheme
        kinds = {entry.kind for entry in self.entries if entry.name == scheme}
        return "bundle-signer" in kinds or f"bundle-signer.{scheme}" in KNOWN_PLUGINS

    def opener_entry(self, reference: str) -> Entry:
        """Return the entry point of what opens `reference`, be it a key or an identity; nothing is imported."""
        scheme = parse_reference(reference).scheme
        return choose(self.entries, "bundle-signer", scheme) if self.signs_bundles(reference) else self.backend_entry(scheme)

    def bundle_backend_of(self, reference: str) -> BundleBackend:
        """Return what opens `reference`, an identity that signs whole bundles."""
        backend: BundleBackend = self._load("bundle-signer", parse_reference(reference).scheme)
        return backend

    def publisher(self, name: str) -> Publisher:
        """Return the publisher of this name."""
        publisher: Publisher = self._load("publisher", name)
        return publisher

    def publishers(self) -> Mapping[str, Publisher]:
        """Return every publisher that loads, by name."""
        return dict(self._loadable("publisher"))

    def format(self, name: str) -> Format:
        """Return the format of this name."""
        format_: Format = self._load("format", name)
        return format_

    def formats(self) -> Mapping[str, Format]:
        """Return every format that loads; one that does not is passed over here, and told of by :meth:`inventory`."""
        return dict(self._loadable("format"))

    def witness(self, name: str) -> WitnessProvider:
        """Return the provider of witnesses of this name."""
        provider: WitnessProvider = self._load("witness", name)
        return provider

    def trust_kinds(self) -> Mapping[str, TrustKind]:
        """Return every kind of trust rule that loads, by name."""
        return dict(self._loadable("trust"))

    def observers(self, names: Iterable[str]) -> Observers:
        """Return the observers of these names, registered together."""
        manager = new_manager()
        seen: set[int] = set()
        for name in names:
            entry = choose(self.entries, "observer", name)
            plugin = import_plugin(entry)
            if id(plugin) not in seen:  # pluggy refuses one module under two names
                seen.add(id(plugin))
                register(manager, entry, plugin)
        return Observers(manager)

    def inventory(self) -> tuple[PluginRow, ...]:
        """Load everything that is installed and return a row for each, broken ones included. Never raises."""
        return tuple(map(self._row, self.entries))

    def _backend_name(self, scheme: str) -> str:
        """Return the name under which the backend is registered: that of all executables, where one is allowed."""
        owned = f"backend.{scheme}" in KNOWN_PLUGINS or any(
            (entry.kind, entry.name) == ("backend", scheme) for entry in self.entries
        )
        return EXECUTABLES if scheme in self._executables and not owned else scheme

    def _load(self, kind: str, name: str) -> Any:  # noqa: ANN401 - each caller knows the type of its kind
        if (kind, name) not in self._loaded:
            self._loaded[kind, name] = load_registered(choose(self.entries, kind, name))
        return self._loaded[kind, name]

    def _loadable(self, kind: str) -> Iterable[tuple[str, Any]]:
        for name in dict.fromkeys(entry.name for entry in self.entries if entry.kind == kind):
            try:
                yield name, self._load(kind, name)
            except PluginError:
                continue

    def _row(self, entry: Entry) -> PluginRow:
        row = PluginRow(entry.kind, entry.name, entry.distribution, entry.version, summary="")
        try:
            return PluginRow(*self._identity(entry), summary=self._summary(entry))
        except PluginError as error:
            return PluginRow(row.kind, row.name, row.distribution, row.version, summary="", problem=str(error))

    def _summary(self, entry: Entry) -> str:
        if entry.kind not in KINDS:
            message = f"{entry.title} is of no known kind"
            raise PluginError(message, remedy=f"expected one of {', '.join(KINDS)} before the first dot")
        if entry.kind == "observer":
            self.observers([entry.name])
            return "observes signatures"
        return _SUMMARIES[entry.kind](self._load(entry.kind, entry.name))

    @staticmethod
    def _identity(entry: Entry) -> tuple[str, str, str, str]:
        return entry.kind, entry.name, entry.distribution, entry.version


_SUMMARIES: dict[str, Callable[[Any], str]] = {
    "backend": lambda backend: "opens " + ", ".join(f"{scheme}:" for scheme in backend.uri_schemes),
    "bundle-signer": lambda backend: (
        "opens " + ", ".join(f"{scheme}:" for scheme in backend.uri_schemes) + ", without a key"
    ),
    "publisher": lambda publisher: f"publishes to {publisher.name}",
    "format": lambda format_: f"{format_.kind}, {format_.suffix or 'inside the artifact'}",
    "witness": lambda provider: f"vouches for signatures ({provider.name})",
    "trust": lambda kind: "rules with " + ", ".join(sorted(kind.selector)),
}
