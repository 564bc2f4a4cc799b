"""What was fetched of a public instance counts where TUF vouches for it, from the root of trust that sigstore carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined] # documented, and not exported in words
from tuf.api.metadata import Metadata, Root, TargetFile, Targets  # type: ignore[attr-defined] # as above

from hatch_sign_sigstore.identity.public_instances import newest_trusted_root

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CARRIED, FETCHED = b'{"carried": true}', b'{"fetched": true}'


@dataclass
class Repository:
    """A TUF repository as it lies on a disk: what sigstore carries of it, its metadata, and the cache."""

    folder: Path

    def __post_init__(self) -> None:
        self.store, self.metadata, self.cache = (self.folder / name for name in ("store", "metadata", "cache"))
        self.first, self.second = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
        (self.metadata / "root_history").mkdir(parents=True)
        self.store.mkdir()
        self.cache.mkdir()
        (self.store / "trusted_root.json").write_bytes(CARRIED)
        (self.store / "root.json").write_bytes(self.root(1, self.first, by=[self.first]))
        self.rotate(self.second, by=[self.first, self.second])
        self.publish(FETCHED, by=self.second)

    def root(self, version: int, key: CryptoSigner, *, by: list[CryptoSigner], days: int = 90) -> bytes:
        root = Root(version=version, expires=NOW + timedelta(days=days))
        for role in ("root", "targets", "snapshot", "timestamp"):
            root.add_key(key.public_key, role)
        return signed(root, by)

    def rotate(self, key: CryptoSigner, *, by: list[CryptoSigner], version: int = 2, days: int = 90) -> None:
        (self.metadata / "root_history" / "2.root.json").write_bytes(self.root(version, key, by=by, days=days))

    def publish(self, content: bytes, *, by: CryptoSigner, days: int = 90) -> None:
        file = TargetFile.from_data("trusted_root.json", content)
        targets = Targets(expires=NOW + timedelta(days=days), targets={"trusted_root.json": file})
        (self.metadata / "targets.json").write_bytes(signed(targets, [by]))
        (self.cache / "trusted_root.json").write_bytes(content)

    def newest(self) -> bytes:
        return newest_trusted_root(self.store, self.metadata, self.cache, NOW)


def signed(role: Any, by: list[CryptoSigner]) -> bytes:  # noqa: ANN401 - a role of TUF, of any kind
    metadata = Metadata(role)
    for signer in by:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_what_was_fetched_is_newer_than_what_is_carried(repository: Repository) -> None:
    assert repository.newest() == FETCHED


CHANGES: dict[str, Callable[[Repository], object]] = {
    "nothing fetched": lambda r: (r.cache / "trusted_root.json").unlink(),
    "exchanged": lambda r: (r.cache / "trusted_root.json").write_bytes(b'{"fetched": evil}'),
    "of the same length": lambda r: (r.cache / "trusted_root.json").write_bytes(FETCHED.swapcase()),
    "without metadata": lambda r: (r.metadata / "targets.json").unlink(),
    "by a stranger": lambda r: r.publish(FETCHED, by=CryptoSigner.generate_ed25519()),
    "by a key that was replaced": lambda r: r.publish(FETCHED, by=r.first),
    "targets expired": lambda r: r.publish(FETCHED, by=r.second, days=-1),
    "root expired": lambda r: r.rotate(r.second, by=[r.first, r.second], days=-1),
    "root by itself alone": lambda r: r.rotate(r.second, by=[r.second]),
    "root by the one before alone": lambda r: r.rotate(r.second, by=[r.first]),
    "root of another version": lambda r: r.rotate(r.second, by=[r.first, r.second], version=3),
    "root is no JSON": lambda r: (r.metadata / "root_history" / "2.root.json").write_bytes(b"[" * 100_000),
    "root is missing": lambda r: (r.metadata / "root_history" / "2.root.json").unlink(),
    "targets are a root": lambda r: (r.metadata / "targets.json").write_bytes(r.root(1, r.second, by=[r.second])),
    "too large": lambda r: r.publish(b" " * (1 << 22) + FETCHED, by=r.second),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_nobody_vouches_for_is_passed_over(repository: Repository, change: str) -> None:
    CHANGES[change](repository)
    assert repository.newest() == CARRIED
