"""The contract of a publisher, as tests. A plugin's tests subclass :class:`PublisherContract` and run it unchanged.

::

    class TestMyPublisher(PublisherContract):
        @pytest.fixture
        def publisher(self): ...
        @pytest.fixture
        def settings(self): ...                     # of a place that has nothing yet, in every test another
        @pytest.fixture
        def context(self): ...                      # hatch_sign.custody.context.RunContext, with the right credential

What is published is a small wheel with a signature beside it, as the core hands them over.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from hatch_sign.contract import Previews, ReleaseFile
from hatch_sign.values.errors import ConfigurationError, PublishError, RejectedError

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Destination, Published, Publisher, ReadBack

NAME = "hatch_sign_contract-1.0-py3-none-any.whl"
_TYPES = {str, int, float, bool, list, Path}
_SECRETS = ("password", "token", "secret", "api-key", "passphrase")
_METADATA = "Metadata-Version: 2.1\nName: hatch-sign-contract\nVersion: 1.0\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: hatch-sign\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass
class Publication:
    """What became of a release: what was reported as it was settled, and what was read back."""

    published: list[Published] = field(default_factory=list)
    read_back: Sequence[ReadBack] = ()

    @property
    def deeds(self) -> dict[str, str]:
        """What was done with each file."""
        return {each.name: each.deed for each in self.published}


@dataclass(frozen=True)
class Place:
    """A publisher with settings and a context: all that it takes to publish there."""

    publisher: Publisher
    settings: Mapping[str, Any]
    context: BackendContext

    def open(self) -> AbstractContextManager[Destination]:
        """Return what makes the destination ready."""
        return self.publisher.open(self.settings, self.context)

    def publish(self, files: Sequence[ReleaseFile], done: Publication | None = None) -> Publication:
        """Publish, and read back what is kept, as a run does; `done` tells what was settled before it failed."""
        done = done or Publication()
        with self.open() as destination:
            destination.publish(files, done.published.append)
            done.read_back = destination.read_back([file for file in files if not destination.drops(file)])
        return done

    def kept(self, files: Sequence[ReleaseFile]) -> set[str]:
        """Return the names of what the place keeps."""
        with self.open() as destination:
            return {file.name for file in files if not destination.drops(file)}


class PublisherContract:
    """What every publisher keeps. Give the fixtures ``publisher``, ``settings`` and ``context``; see the module.

    Where settings are lacking without which nothing can be published, the fixture ``lacking`` lends them. Where the
    place takes other artifacts than wheels, replace ``release``.
    """

    @pytest.fixture
    def lacking(self) -> Mapping[str, Any] | None:
        """Lend settings that do not say where to publish to; None where any do."""
        return None

    @pytest.fixture
    def release(self, tmp_path: Path) -> Sequence[ReleaseFile]:
        """Lend a release that the place can have: an artifact first, of which it keeps at least that."""
        artifact = write_file(tmp_path / "copy", NAME, wheel("first"))
        return [artifact, write_file(tmp_path / "copy", f"{NAME}.sigstore.json", b"{}", "sigstore", NAME)]

    @pytest.fixture
    def altered(self, tmp_path: Path) -> ReleaseFile:
        """Lend another artifact by the name of the first of the release."""
        return write_file(tmp_path / "altered", NAME, wheel("second"))

    @pytest.fixture
    def place(self, publisher: Publisher, settings: Mapping[str, Any], context: BackendContext) -> Place:
        """Lend the place that the settings name."""
        return Place(publisher, settings, context)

    # --- the publisher

    def test_settings_are_typed_and_none_is_a_secret(self, place: Place) -> None:
        """Configuration is read by many, and so holds no credential."""
        publisher = place.publisher
        assert publisher.name
        assert set(publisher.settings.values()) <= _TYPES
        assert not [key for key in publisher.settings if any(word in key.lower() for word in _SECRETS)]
        assert place.settings.keys() <= publisher.settings.keys()

    def test_settings_that_do_not_say_where_are_refused_in_a_line(
        self, publisher: Publisher, context: BackendContext, lacking: Mapping[str, Any] | None
    ) -> None:
        """They are a mistake of the configuration, not of the place."""
        if lacking is None:
            pytest.skip("any settings say where to publish to")
        opened = ExitStack()
        with pytest.raises(ConfigurationError) as caught, opened:
            opened.enter_context(publisher.open(lacking, context))
        assert "\n" not in str(caught.value)

    def test_a_preview_says_what_the_open_place_says(self, place: Place, release: Sequence[ReleaseFile]) -> None:
        """A dry run names the place, and what it drops, as the run does."""
        with place.open() as destination:
            title, dropped = destination.title, [destination.drops(file) for file in release]
        assert title
        assert not dropped[0], "the first file is one that the place can have"
        if isinstance(place.publisher, Previews):
            preview = place.publisher.preview(place.settings, place.context)
            assert (preview.title, [preview.drops(file) for file in release]) == (title, dropped)

    def test_the_place_has_a_title_without_credentials(self, place: Place) -> None:
        """It is shown in messages and documents."""
        with place.open() as destination:
            title = destination.title
        assert title.isprintable()
        address = urlsplit(title)
        assert (address.username, address.password, address.query) == (None, None, "")

    # --- what is published

    def test_what_is_kept_arrives_and_is_read_back(self, place: Place, release: Sequence[ReleaseFile]) -> None:
        """Each file is reported once, and what is dropped is never said to be there."""
        kept = place.kept(release)
        assert release[0].name in kept
        done = place.publish(release)
        assert len(done.deeds) == len(done.published)
        assert {name for name, deed in done.deeds.items() if deed == "uploaded"} == kept
        assert {name for name, deed in done.deeds.items() if deed == "kept-back"} <= {f.name for f in release} - kept
        assert {each.state for each in done.read_back} <= {"same", "unreadable"}
        assert {each.name for each in done.read_back} <= kept

    def test_again_nothing_is_sent(self, place: Place, release: Sequence[ReleaseFile]) -> None:
        """A run that is repeated leaves alone what is there."""
        kept = place.kept(release)
        place.publish(release)
        again = place.publish(release)
        assert {name: again.deeds.get(name) for name in kept} == dict.fromkeys(kept, "present")

    def test_what_was_left_undone_is_done(self, place: Place, release: Sequence[ReleaseFile]) -> None:
        """A run after one that ended early sends the rest, and only that."""
        kept = place.kept(release)
        place.publish(release[:1])
        done = place.publish(release)
        expected = {name: "present" if name == release[0].name else "uploaded" for name in kept}
        assert {name: done.deeds.get(name) for name in kept} == expected

    def test_other_bytes_are_not_replaced(self, place: Place, release: Sequence[ReleaseFile], altered: ReleaseFile) -> None:
        """What others may have fetched already stays what it was."""
        place.publish(release[:1])
        done = Publication()
        with pytest.raises(RejectedError) as caught:
            place.publish([altered], done)
        assert "\n" not in str(caught.value)
        assert done.deeds.get(altered.name) not in {"uploaded", "present"}
        with place.open() as destination:
            assert "differs" not in {each.state for each in destination.read_back(release[:1])}
            assert "same" not in {each.state for each in destination.read_back([altered])}

    def test_nothing_is_the_same_where_nothing_is(self, place: Place, release: Sequence[ReleaseFile]) -> None:
        """Reading back believes what the place has, and not what it was told."""
        with place.open() as destination:
            assert "same" not in {each.state for each in destination.read_back(release[:1])}

    def test_bytes_other_than_those_that_were_verified_do_not_arrive(
        self, place: Place, release: Sequence[ReleaseFile]
    ) -> None:
        """A file that is no longer what its digest says is an error, or is read back as something else."""
        claimed = replace(release[0], sha256=hashlib.sha256(b"something else").digest())
        try:
            done = place.publish([claimed])
        except (PublishError, RejectedError):
            return
        assert {each.state for each in done.read_back} == {"differs"}


def wheel(marker: str) -> bytes:
    """Return a wheel that is whole as far as places to publish to look; `marker` makes one differ from another."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in (
            ("hatch_sign_contract.py", f"{marker!r}\n"),
            ("hatch_sign_contract-1.0.dist-info/METADATA", _METADATA),
            ("hatch_sign_contract-1.0.dist-info/WHEEL", _WHEEL),
            ("hatch_sign_contract-1.0.dist-info/RECORD", ""),
        ):
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def write_file(
    folder: Path, name: str, content: bytes, format_: str | None = None, artifact: str | None = None
) -> ReleaseFile:
    """Return a file as the core hands it to a publisher, its bytes in `folder`."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return ReleaseFile(name, path, len(content), hashlib.sha256(content).digest(), format_, artifact)
