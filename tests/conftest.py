"""Keeps the tests away from the tokens, settings and secrets of whoever runs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOREIGN = ("HATCH_SIGN_", "HATCH_BUILD_", "COSIGN_", "PIP_BUILD_")
"""What a shell, an outer build or a release job may have set, and no test may depend on."""

_KEPT = "HATCH_SIGN_PEERS"
"""Where the independent verifiers lie is a matter of the machine."""


@pytest.fixture(scope="session", autouse=True)
def _private_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_FOREIGN) and not name.startswith(_KEPT)]:
            patch.delenv(name)
        patch.setenv("HATCH_SIGN_HOME", str(tmp_path_factory.mktemp("hatch-sign-home")))
        yield
