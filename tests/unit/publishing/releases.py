"""Signed files in a folder, and a place to publish to that remembers: made for one test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.contract import BackendContext, Preview, Published, ReadBack, ReleaseFile
from hatch_sign.custody.context import RunContext
from hatch_sign.formats.sigstore.producer import BundleProducer
from hatch_sign.publishing.reports import Listener
from hatch_sign.publishing.run import Publishing, publish_release
from hatch_sign.publishing.targets import Target
from hatch_sign.registry import Registry
from hatch_sign.testing.seals import KeySeal, private_key
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.public_keys import encode_public_key_pem

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.publishing.reports import PublishingReport

REGISTRY = Registry()
TRUSTED, STRANGER = 0, 1
TRUSTING = '[verify]\nrequire = ["sigstore"]\n[[verify.trust]]\npublic-key = "release.pub"\n'


def bundle_over(name: str, data: bytes, *, which: int = TRUSTED) -> bytes:
    """Return a bundle over `data` by a key of which only TRUSTED is configured."""
    seal = KeySeal(private_key(KeyAlgorithm.ECDSA_P256, which), Scheme.ECDSA_SHA256)
    return BundleProducer().sign(Subject(name, len(data), {"sha256": hashlib.sha256(data).digest()}), seal)


@dataclass(frozen=True)
class Project:
    """`folder` holds the configuration, `dist` below it the release."""

    folder: Path

    @property
    def dist(self) -> Path:
        return self.folder / "dist"

    def add(self, name: str, data: bytes = b"what is released", *, signed_by: int | None = TRUSTED) -> Path:
        """Write an artifact, and its bundle unless nobody signs it."""
        path = self.dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if signed_by is not None:
            path.with_name(f"{path.name}.sigstore.json").write_bytes(bundle_over(path.name, data, which=signed_by))
        return path

    def configure(self, text: str = TRUSTING, *, name: str = "hatch-sign.toml") -> Configuration:
        """Write a configuration beside the key that it trusts, and load it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name("release.pub").write_bytes(public_key(TRUSTED))
        path.write_text(text)
        return load_configuration(path, directory=self.folder, environ={}, overrides=Overrides(), registry=REGISTRY)

    def publish(self, *places: Place, listener: Listener | None = None, **settings: Any) -> PublishingReport:  # noqa: ANN401 - of Publishing
        """Publish what is in `dist` to these places."""
        publishing = self.publishing(*places, **settings)
        return publish_release([self.dist], publishing, listener)

    def publishing(self, *places: Place, **settings: Any) -> Publishing:  # noqa: ANN401 - as above
        given: dict[str, Any] = {
            "configuration": settings.pop("configuration", None) or self.configure(),
            "registry": REGISTRY,
            "context": RunContext({}, on_warning=_unexpected),
            "targets": [Target(place.name, place, {}) for place in places],
            "now": datetime(2026, 6, 1, tzinfo=UTC),
        }
        return Publishing(**{**given, **settings})


def public_key(which: int) -> bytes:
    """Return the public half of a key that signs here, as PEM."""
    key = private_key(KeyAlgorithm.ECDSA_P256, which)
    return encode_public_key_pem(KeySeal(key, Scheme.ECDSA_SHA256).public_key)


def listening(event: str, hear: Callable[..., None]) -> Listener:
    """Return a listener that calls `hear` at one event, with what is told then."""
    listener = Listener()
    setattr(listener, event, hear)
    return listener


def _unexpected(warning: str) -> None:
    raise AssertionError(warning)


@dataclass
class Place:
    """A publisher and the one destination that it opens: it keeps bytes, and does what `during` says for each file.

    `calls` are the steps in order; `kept` are the bytes by name; `alters` makes it give back others.
    """

    name: str = "place"
    settings: Mapping[str, type] = field(default_factory=dict)
    dropping: Mapping[str, str] = field(default_factory=dict)
    during: Callable[[ReleaseFile], object] = lambda _: None
    forgets: str = ""
    alters: str = ""
    tells_nothing: bool = False
    calls: list[str] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    files: list[ReleaseFile] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"https://{self.name}.example/"

    @contextmanager
    def open(self, settings: Mapping[str, Any], context: BackendContext) -> Iterator[Place]:
        del settings, context
        self.calls.append("enter")
        try:
            yield self
        finally:
            self.calls.append("leave")

    def drops(self, file: ReleaseFile) -> str:
        return next((reason for suffix, reason in self.dropping.items() if file.name.endswith(suffix)), "")

    def publish(self, files: Sequence[ReleaseFile], report: Callable[[Published], None]) -> None:
        self.calls.append("publish")
        self.files = list(files)
        for file in files:
            if self.drops(file):
                report(Published(file.name, "kept-back"))
                continue
            self.during(file)
            same = self.kept.get(file.name) == file.path.read_bytes()
            self.kept[file.name] = file.path.read_bytes()
            if file.name != self.forgets:
                report(Published(file.name, "present" if same else "uploaded"))

    def read_back(self, files: Sequence[ReleaseFile]) -> Sequence[ReadBack]:
        self.calls.append("read back")
        if self.tells_nothing:
            return []
        return [ReadBack(file.name, "differs" if file.name == self.alters else "same") for file in files]


class PreviewingPlace(Place):
    """A place that can be told of before it is opened."""

    def preview(self, settings: Mapping[str, Any], context: BackendContext) -> Preview:
        del settings, context
        return Preview(self.title, self.drops)
