"""The bytes on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.publishers.reading import verified_stream
from hatch_sign.values.errors import PublishError, RejectedError

from .release_files import release_file

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import ReleaseFile

CONTENT = b"0123456789" * 1000


def read(file: ReleaseFile, most: int) -> bytes:
    with verified_stream(file) as stream:
        return b"".join(iter(lambda: stream.read(most), b""))


@pytest.mark.parametrize("most", [1, 7, len(CONTENT) - 1, len(CONTENT), len(CONTENT) + 1])
def test_the_verified_bytes_come_out(tmp_path: Path, most: int) -> None:
    assert read(release_file(tmp_path, "app.whl", CONTENT), most) == CONTENT


def test_a_file_of_no_bytes_is_read(tmp_path: Path) -> None:
    assert read(release_file(tmp_path, "app.whl", b""), 100) == b""


@pytest.mark.parametrize(
    "now",
    [CONTENT[:-1] + b"x", b"x" + CONTENT[1:], CONTENT[:-1], CONTENT + b"x", b""],
    ids=["end", "start", "short", "long", "gone"],
)
def test_the_last_bytes_of_a_file_that_changed_do_not_come_out(tmp_path: Path, now: bytes) -> None:
    file = release_file(tmp_path, "app.whl", CONTENT)
    file.path.write_bytes(now)
    got: list[bytes] = []
    with verified_stream(file) as stream, pytest.raises(RejectedError, match=r"app\.whl changed after it was verified"):
        got.extend(iter(lambda: stream.read(100), b"no end"))
    assert len(b"".join(got)) < len(CONTENT)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    file = release_file(tmp_path, "app.whl", CONTENT)
    file.path.unlink()
    with pytest.raises(PublishError, match=r"app\.whl cannot be read: No such file"), verified_stream(file):
        pass
