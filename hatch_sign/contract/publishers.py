"""The port of a publisher: a place that verified releases are sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from hatch_sign.contract.backends import BackendContext

Deed = Literal["uploaded", "present", "kept-back"]
"""What became of a file at a destination: sent now; there already, with the same bytes; not sent, as was
announced, or as the detail says."""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release that was verified, in the private copy that the verification read.

    `name` is what it is published under. `format` is the format of a signature, None for an artifact; `artifact` is the name
    of the artifact that a signature is beside, None for an artifact and for what covers many.
    """

    name: str
    path: Path
    size: int
    sha256: bytes
    format: str | None = None
    artifact: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one file. `detail` is for people, one line, without a secret."""

    name: str
    deed: Deed
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a destination has under a name after the upload: the same bytes, others, or nothing that could be read."""

    name: str
    state: Literal["same", "differs", "unreadable"]
    detail: str = ""


class Destination(Protocol):
    """One place, ready to be published to; live between entering and leaving what :meth:`Publisher.open` returned.

    Its own exceptions, and those of its libraries, are translated ``from None``: they may carry a token.
    """

    @property
    def title(self) -> str:
        """The place as messages name it: an address without credentials and without query."""
        ...

    def drops(self, file: ReleaseFile) -> str:
        """Return why the place will not keep this file; empty where it will. Asks nothing of a network."""
        ...

    def publish(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> None:
        """Send what the place keeps of `files`, exactly these bytes, and `report` each as soon as it is settled.

        What is there already with the same bytes is not sent again; with others, nothing is replaced and RejectedError is
        raised. Raises PublishError where the place fails or refuses: what was reported until then stays done, and running
        it again does the rest.
        """
        ...

    def read_back(self, files: Sequence[ReleaseFile]) -> Sequence[ReadBack]:
        """Return what the place now has of `files`, by digests it computed or bytes it gave back; [] where it tells none."""
        ...


class Publisher(Protocol):
    """What a plugin registers: opens destinations; its entry point is ``publisher.NAME``."""

    @property
    def name(self) -> str:
        """The publisher's name, as in ``--to NAME``."""
        ...

    @property
    def settings(self) -> Mapping[str, type]:
        """Its configuration keys, with their types, of TOML or :class:`~pathlib.Path`: none of them holds a secret.

        A path is written as a string and handed over absolute: taken from the configuration's folder, or, given on the
        command line, from the working directory.
        """
        ...

    def open(self, settings: Mapping[str, Any], context: BackendContext) -> AbstractContextManager[Destination]:
        """Return what makes the destination ready when it is entered; nothing is asked of a network before.

        Raises ConfigurationError for settings that say nothing, PublishError for credentials that cannot be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """What can be said of a destination before it is opened; both as :class:`Destination` has them."""

    title: str
    drops: Callable[[ReleaseFile], str]


@runtime_checkable
class Previews(Protocol):
    """A publisher that can say where it would publish to, for ``--dry-run``: it asks no network, and for no secret."""

    def preview(self, settings: Mapping[str, Any], context: BackendContext) -> Preview:
        """Return where these settings lead. Raises ConfigurationError for settings that say nothing."""
        ...
