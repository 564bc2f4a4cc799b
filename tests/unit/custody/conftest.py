"""A keyring of our own in place of the desktop's, which a test must not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backend import KeyringBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


class KeyringInMemory(KeyringBackend):
    """Holds what a test puts in; the service ``locked`` fails as a desktop's would."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            message = "s3cret in a message"
            raise RuntimeError(message)
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture(autouse=True)
def keyring_in_memory() -> Iterator[dict[tuple[str, str], str]]:
    before = keyring.get_keyring()
    ours = KeyringInMemory()
    keyring.set_keyring(ours)
    yield ours.entries
    keyring.set_keyring(before)
