"""Entry points of the plugin group, as they are installed; nothing is imported here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points

from hatch_sign.contract.executables import ALLOW_VARIABLE
from hatch_sign.contract.hookspecs import ENTRY_POINT_GROUP
from hatch_sign.registry.known import KNOWN_PLUGINS, how_to_install
from hatch_sign.values.errors import PluginError

KINDS = ("backend", "bundle-signer", "format", "witness", "trust", "publisher", "observer")
"""What an entry point may register, as the part of its name before the first dot."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One installed entry point: ``KIND.NAME``, and the distribution that declares it."""

    kind: str
    name: str
    distribution: str
    version: str
    point: EntryPoint

    @property
    def title(self) -> str:
        """The entry point and its distribution, as messages name them."""
        return f"{self.kind}.{self.name} of {self.distribution} {self.version}"


def installed_entries() -> tuple[Entry, ...]:
    """Return every entry point of the group in this environment, sorted by name and distribution."""
    # Who declares it stands above a whole README, which is parsed as well: once for a distribution is enough.
    owner_of = cache(_owner)
    entries = [_entry(point, owner_of) for point in entry_points(group=ENTRY_POINT_GROUP)]
    return tuple(sorted(entries, key=lambda e: (e.kind, e.name, e.distribution)))


def choose(entries: Sequence[Entry], kind: str, name: str) -> Entry:
    """Return the one entry ``kind.name``.

    Raises PluginError where there is none (naming the distribution that would bring it), where several distributions
    register it, and where one that is not ours takes a name that is.
    """
    found = [entry for entry in entries if (entry.kind, entry.name) == (kind, name)]
    if not found:
        raise _missing(kind, name, signs_bundles=any((e.kind, e.name) == ("bundle-signer", name) for e in entries))
    if len(found) > 1:
        owners = " and ".join(f"{entry.distribution} {entry.version}" for entry in found)
        message = f"{kind}.{name} is registered by {owners}; expected one distribution"
        raise PluginError(message, remedy="uninstall all but the one that you trust")
    owner = KNOWN_PLUGINS.get(f"{kind}.{name}")
    if owner is not None and found[0].distribution != owner:
        message = f"{kind}.{name} is registered by {found[0].distribution}, but the name is reserved for {owner}"
        raise PluginError(message, remedy=f"uninstall {found[0].distribution}")
    return found[0]


def _missing(kind: str, name: str, *, signs_bundles: bool) -> PluginError:
    if kind == "backend" and (signs_bundles or f"bundle-signer.{name}" in KNOWN_PLUGINS):
        message = f"{name}: names an identity, which has no key of its own to show, certify or sign this with"
        return PluginError(message, remedy=f"`hatch-sign doctor {name}:` says whether it can sign")
    owner = KNOWN_PLUGINS.get(f"{kind}.{name}")
    message = f"no {kind} named {name!r} is installed"
    remedy = how_to_install(owner) if owner else "`hatch-sign plugins` lists what is installed"
    if kind == "backend" and owner is None:
        remedy = f"{remedy}; {ALLOW_VARIABLE}={name} would allow the executable sigstore-kms-{name}"
    return PluginError(message, remedy=remedy)


def _entry(point: EntryPoint, owner_of: Callable[[Distribution], tuple[str, str]]) -> Entry:
    kind, _, name = point.name.partition(".")
    if point.dist is None:
        return Entry(kind, name, "(unknown)", "", point)
    return Entry(kind, name, *owner_of(point.dist), point)


def _owner(distribution: Distribution) -> tuple[str, str]:
    """Return the normalised name and the version."""
    metadata = distribution.metadata
    return metadata["Name"].lower().replace("_", "-"), metadata["Version"]
