"""The SDKs of providers, which are extras: what is said where one is missing."""

from __future__ import annotations

from hatch_sign.values.errors import PluginError


def missing_extra(*, scheme: str, package: str, requirement: str) -> PluginError:
    """Return the error for an SDK that is not installed: `package` as one imports it, `requirement` as pip takes it."""
    message = f"{scheme} references need the package {package}, which is not installed"
    return PluginError(message, remedy=f'pip install "{requirement}"')
