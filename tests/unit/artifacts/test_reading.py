"""Each file is read once, whole, and not while it changes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_sign.artifacts import reading
from hatch_sign.artifacts.reading import FileIdentity, Reading, is_unchanged, open_known, read_digests, reread_digests
from hatch_sign.values.errors import SigningError, UsageError


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_all_digests_come_from_one_pass(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    found = read_digests(tmp_path / "a", {"sha256", "sha512"})
    assert found.digests == {"sha256": hashlib.sha256(data).digest(), "sha512": hashlib.sha512(data).digest()}
    assert found.identity.size == size


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 1000)
    feed = reading._feed

    def feed_and_grow(hashers: list[hashlib._Hash], chunk: memoryview) -> int:
        if path.stat().st_size == 1000:
            with path.open("ab") as stream:
                stream.write(b"more")
        return feed(hashers, chunk)

    monkeypatch.setattr(reading, "_feed", feed_and_grow)
    with pytest.raises(SigningError, match="changed while it was read"):
        read_digests(path, {"sha256"})


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_digests(tmp_path / "gone", {"sha256"})


def test_a_folder_is_not_read_as_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read|not a regular file"):
        read_digests(tmp_path, {"sha256"})


def test_a_link_put_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="cannot be read"):
        read_digests(tmp_path / "link", {"sha256"})


def test_a_replaced_file_is_not_the_one_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    identity = FileIdentity.of(path.lstat())
    assert is_unchanged(path, identity)
    (tmp_path / "b").write_bytes(b"two")
    os.utime(tmp_path / "b", ns=(identity.modified, identity.modified))
    (tmp_path / "b").replace(path)
    assert not is_unchanged(path, identity)
    path.unlink()
    assert not is_unchanged(path, identity)


@pytest.fixture
def known(tmp_path: Path) -> tuple[Path, Reading]:
    """Return a file and its reading, of which the digest is forged so that it shows who believes it."""
    path = tmp_path / "a"
    path.write_bytes(bytes(range(100)))
    return path, replace(read_digests(path, {"sha256"}), digests={"sha256": b"forged"})


@pytest.mark.parametrize("hashes", [set[str](), {"sha256"}])
def test_what_was_read_before_is_not_read_again(known: tuple[Path, Reading], hashes: set[str]) -> None:
    path, reading = known
    assert reread_digests(path, hashes, {path: reading}) is reading


@pytest.mark.parametrize("why", ["another hash", "written to", "replaced"])
def test_what_a_reading_does_not_tell_is_read(known: tuple[Path, Reading], why: str) -> None:
    path, reading = known
    if why == "written to":
        path.write_bytes(bytes(100))
    elif why == "replaced":
        other = path.with_name("b")
        other.write_bytes(bytes(100))
        os.utime(other, ns=(reading.identity.modified, reading.identity.modified))
        other.replace(path)
    hash_ = "sha512" if why == "another hash" else "sha256"
    found = reread_digests(path, {hash_}, {path: reading})
    assert found.digests == {hash_: hashlib.new(hash_, path.read_bytes()).digest()}


def test_a_reading_tells_nothing_of_a_file_that_is_gone(known: tuple[Path, Reading]) -> None:
    path, reading = known
    path.unlink()
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        reread_digests(path, {"sha256"}, {path: reading})


def test_a_known_file_is_opened_only_for_what_is_not_known_of_it(known: tuple[Path, Reading]) -> None:
    path, reading = known
    moved = path.rename(path.with_name("moved"))
    with open_known(path, reading) as stream:
        assert stream.read(2) == b"\0\1"
        assert stream.seek(0, os.SEEK_END) == 100
        assert stream.read(5) == b""
        stream.seek(len(reading.head) - 1)
        assert stream.read(1) == reading.head[-1:]
        with pytest.raises(UsageError, match="cannot be read: No such file"):
            stream.read(1)
        moved.rename(path)
        assert stream.read(1) == bytes([len(reading.head)])
        stream.seek(0)
        assert stream.read() == path.read_bytes()


def test_a_known_file_that_has_changed_is_not_read_on(known: tuple[Path, Reading]) -> None:
    path, reading = known
    path.write_bytes(bytes(100))
    with open_known(path, reading) as stream, pytest.raises(SigningError, match="changed while it was read"):
        stream.read()
