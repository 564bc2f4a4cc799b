"""Each file is read once, whole, and not while it changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from hatch_sign.artifacts import reading
from hatch_sign.artifacts.reading import FileIdentity, is_unchanged, read_digests
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
