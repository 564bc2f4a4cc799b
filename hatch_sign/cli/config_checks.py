"""What ``hatch-sign config check`` looks for beyond the configuration's own keys: files, plugins, and ends that are near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hatch_sign.configuration.building import build_policy, trust_header
from hatch_sign.contract.references import parse_reference
from hatch_sign.signing.credentials import load_chain
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError, PluginError
from hatch_sign.values.outcomes import SOON

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import Configuration
    from hatch_sign.registry import Registry


def find_problems(configuration: Configuration, registry: Registry, *, at: datetime) -> tuple[str, ...]:
    """Return every mistake in the trust rules, in the files that are named, and in what is asked of plugins."""
    problems = [problem for path in _chains(configuration) if (problem := _problem_of("certificates", load_chain, path))]
    if any(settings.timestamp for settings in configuration.signs):
        problems += _some(_problem_of("timestamp", registry.witness, "rfc3161"))
    for name in configuration.observers:  # one by one, so that each that is missing is told
        problems += _some(_problem_of("observers", registry.observers, [name]))
    audit_file = configuration.audit_file
    if audit_file is not None and _is_folder(audit_file):
        problems.append(f"audit-file: {display(audit_file)} is a folder; name a file")
    return (*problems, *_problems_of_trust(configuration, registry, at))


def find_warnings(configuration: Configuration, registry: Registry, *, at: datetime) -> Iterator[str]:
    """Yield what is no mistake here, and may be one elsewhere or soon. The configuration has no problems.

    A backend may be missing: a machine that only verifies needs none.
    """
    verify = configuration.verify
    if not verify.trust:
        yield f"nobody is trusted: write {trust_header(configuration)} before verifying"
    if verify.trust and verify.timestamp_roots is None and any(settings.timestamp for settings in configuration.signs):
        yield "`timestamp` is configured, and no `timestamp-roots` under `verify`: verifying will believe none of them"
    for key in dict.fromkeys(settings.key for settings in configuration.signs):
        try:
            registry.backend_entry(parse_reference(key).scheme)
        except PluginError as error:
            yield str(error)
    for rule in verify.trust:
        if when := _when(rule.not_before, rule.not_after, at):
            yield f"the trust rule {rule.label} {when}"
    for path in _chains(configuration):
        yield from _warnings_of_chain(path, load_chain(path), at)


def _problems_of_trust(configuration: Configuration, registry: Registry, at: datetime) -> tuple[str, ...]:
    if not configuration.verify.trust and configuration.verify.timestamp_roots is None:
        return ()  # trusting nobody is a warning
    try:
        build_policy(configuration, registry, at=at)
    except ConfigurationError as error:
        return error.problems  # none where the only thing wrong is that nobody is trusted
    return ()


def _problem_of(place: str, function: Callable[..., object], argument: object) -> str:
    try:
        function(argument)
    except HatchSignError as error:
        return f"{place}: {error}"
    return ""


def _some(problem: str) -> Iterable[str]:
    return (problem,) if problem else ()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a folder on the way may not be entered: whether it can be written shows when it is
        return False


def _chains(configuration: Configuration) -> tuple[Path, ...]:
    named = (settings.certificates for settings in configuration.signs)
    return tuple(dict.fromkeys(path for path in named if path is not None))


def _warnings_of_chain(path: Path, chain: Iterable[Certificate], at: datetime) -> Iterator[str]:
    for certificate in chain:
        if when := _when(certificate.not_valid_before_utc, certificate.not_valid_after_utc, at):
            yield f"{display(path)}: the certificate of {display(certificate.subject.rfc4514_string())} {when}"


def _when(begins: datetime | None, ends: datetime | None, at: datetime) -> str:
    """Return what there is to say of a time, both ends of which are inclusive; empty where it lasts."""
    if ends is not None and ends < at:
        return f"ended at {_instant(ends)}"
    if begins is not None and begins > at:
        return f"begins at {_instant(begins)}"
    return f"ends at {_instant(ends)}" if ends is not None and ends - at <= SOON else ""


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"
