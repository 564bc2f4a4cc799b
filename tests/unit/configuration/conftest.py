"""A folder with a configuration in it, and the plugins that are really installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.configuration.model import Configuration
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.public_keys import encode_public_key_pem


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="session")
def core_alone() -> Registry:
    """Return what is installed without the plugin for Sigstore's identities."""
    return Registry([entry for entry in installed_entries() if entry.distribution != "hatch-sign-sigstore"])


Load = Callable[..., Configuration]


@pytest.fixture
def load(tmp_path: Path, registry: Registry) -> Load:
    """Write `text` as a configuration and load it."""

    def load(
        text: str,
        *,
        name: str = "hatch-sign.toml",
        environ: dict[str, str] | None = None,
        overrides: Overrides | None = None,
        directory: Path | None = None,
        plugins: Registry = registry,
    ) -> Configuration:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load_configuration(
            path,
            directory=directory or tmp_path,
            environ=environ or {},
            overrides=overrides or Overrides(),
            registry=plugins,
        )

    return load


@pytest.fixture
def problems(load: Load) -> Callable[..., tuple[str, ...]]:
    """Load a configuration that is wrong, and return what is said of it."""

    def problems(text: str, **options: object) -> tuple[str, ...]:
        with pytest.raises(ConfigurationError) as caught:
            load(text, **options)
        return caught.value.problems

    return problems


@pytest.fixture(scope="session")
def pem() -> str:
    return encode_public_key_pem(ec.generate_private_key(ec.SECP256R1()).public_key()).decode()
