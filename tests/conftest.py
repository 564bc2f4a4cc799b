"""Keeps the tests away from the tokens, settings and secrets of whoever runs them."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOREIGN = ("HATCH_SIGN_", "HATCH_BUILD_", "COSIGN_", "PIP_BUILD_")
"""What a shell, an outer build or a release job may have set, and no test may depend on."""

_KEPT = "HATCH_SIGN_PEERS"
"""Where the independent verifiers lie is a matter of the machine."""

if importlib.util.find_spec("hypothesis"):  # not beside the core alone
    from hypothesis import HealthCheck, settings

    # A loaded machine is no mistake of ours, and one run is to be like the next; `random` looks further.
    settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("random", settings.get_profile("steady"), derandomize=False)
    settings.load_profile("random" if os.environ.get("HATCH_SIGN_SEED") == "random" else "steady")


@pytest.fixture(scope="session", autouse=True)
def _private_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_FOREIGN) and not name.startswith(_KEPT)]:
            patch.delenv(name)
        patch.setenv("HATCH_SIGN_HOME", str(tmp_path_factory.mktemp("hatch-sign-home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_locks() -> Iterator[None]:
    """Make tokens whose PINs are cheap to try: each token says what it takes. Programs that tests start make true ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hatch_sign.backends.emulated.wrapping._COST", 2)
        yield
