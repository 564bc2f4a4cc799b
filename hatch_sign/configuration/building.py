"""Turn the trust that is configured into a policy: the rules are parsed by their kinds, and their files are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.configuration.source import PROJECT_FILE, read_limited
from hatch_sign.registry.known import KNOWN_PLUGINS, how_to_install
from hatch_sign.trust.pem import parse_certificates
from hatch_sign.trust.policy import Policy, ScopedRule
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError, MalformedError, PluginError, UnsupportedError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import Configuration, TrustSettings
    from hatch_sign.configuration.registries import Plugins
    from hatch_sign.contract import RevocationSource, TrustRule

Reader = Callable[[str], bytes]

_LARGEST_FILE = 10 << 20
"""Bytes in a file of a rule: revocation lists of large authorities have millions."""


def build_policy(
    configuration: Configuration, registry: Plugins, *, at: datetime, revocations: RevocationSource | None = None
) -> Policy:
    """Return the policy to judge by at an instant, which is aware; rules may ask `revocations` what was taken back.

    Raises ConfigurationError with every mistake in the rules and their files, and where nobody is trusted.
    """
    problems: list[str] = []
    rules = []
    read = reader(configuration.directory)
    for settings in configuration.verify.trust:
        try:
            rules.append(_scoped(settings, parse_rule(settings, registry, read)))
        except HatchSignError as error:
            problems.append(f"{settings.label}: {error}")
    roots: tuple[Certificate, ...] = ()
    try:
        roots = load_timestamp_roots(configuration.verify.timestamp_roots)
    except HatchSignError as error:
        problems.append(error.message)
    if problems:
        message = "whom to trust is configured wrongly"
        raise ConfigurationError(message, problems=problems)
    if not rules:
        raise _nobody(configuration)
    return Policy(tuple(rules), configuration.verify.require, at, roots, revocations)


def trust_header(configuration: Configuration) -> str:
    """Return the header of a trust rule in the file of this configuration."""
    in_project = configuration.path is not None and configuration.path.name == PROJECT_FILE
    return "[[tool.hatch-sign.verify.trust]]" if in_project else "[[verify.trust]]"


def _nobody(configuration: Configuration) -> ConfigurationError:
    if configuration.path is None:
        message = f"nobody is trusted: no configuration was found in {display(configuration.directory)}"
        remedy = "change to the project's folder, or name a configuration with `--config FILE`"
    else:
        message = f"nobody is trusted: {display(configuration.path)} holds no trust rule"
        remedy = f"write {trust_header(configuration)} with a `public-key`, or with `certificate-roots` and `subject`"
    return ConfigurationError(message, remedy=f"{remedy}; `hatch-sign verify` also takes `--key PEM`")


def reader(directory: Path) -> Reader:
    """Return what reads the files of trust rules: at most 10 MiB, relative names taken from `directory`."""
    return lambda name: read_limited(directory / name, largest=_LARGEST_FILE)


def parse_rule(settings: TrustSettings, registry: Plugins, read: Reader) -> TrustRule:
    """Return the rule that its kind makes of the settings. Raises HatchSignError."""
    kind = registry.trust_kinds().get(settings.kind)
    if kind is None:
        owner = KNOWN_PLUGINS.get(f"trust.{settings.kind}")
        message = f"no kind of trust rule named '{display(settings.kind)}' is installed"
        raise PluginError(message, remedy=how_to_install(owner) if owner else "`hatch-sign plugins` lists what is installed")
    try:
        return kind.parse(settings.table, read)
    except (ConfigurationError, MalformedError, UnsupportedError):
        raise
    except Exception as error:  # a plugin may raise anything, and it must be told whose it is
        message = f"the kind of rule {settings.kind} failed: {type(error).__name__}"
        raise PluginError(message, remedy="report it to the author of the plugin") from error


def _scoped(settings: TrustSettings, rule: TrustRule) -> ScopedRule:
    return ScopedRule(
        rule,
        settings.label,
        formats=settings.formats,
        artifacts=settings.artifacts,
        signatures=settings.signatures,
        not_before=settings.not_before,
        not_after=settings.not_after,
    )


def load_timestamp_roots(value: Path | str | None) -> tuple[Certificate, ...]:
    """Return the roots of timestamp authorities in a file, or in PEM text. Raises ConfigurationError."""
    try:
        if isinstance(value, Path):
            return parse_certificates(read_limited(value), display(value))
        return parse_certificates(value.encode(), "`timestamp-roots`") if value is not None else ()
    except HatchSignError as error:
        message = f"verify.timestamp-roots: {error}"
        raise ConfigurationError(message) from None
