"""What ``hatch-sign config check`` looks for beyond the configuration's own keys: files, plugins, and ends that are near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from hatch_sign.configuration.building import build_policy, trust_header
from hatch_sign.contract import ChoosesSchemes
from hatch_sign.contract.guarding import guarded
from hatch_sign.signing.credentials import load_chain
from hatch_sign.signing.identities import refuse_unbundled
from hatch_sign.signing.logs import require_loggable
from hatch_sign.values.certificates import describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError, PluginError, UnsupportedError
from hatch_sign.values.outcomes import SOON

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.x509 import Certificate

    from hatch_sign.configuration.model import Configuration, SignatureSettings
    from hatch_sign.contract import Format
    from hatch_sign.registry import Registry
    from hatch_sign.values.public_keys import PublicKey


def find_problems(configuration: Configuration, registry: Registry, *, at: datetime) -> tuple[str, ...]:
    """Return every mistake in the trust rules, in the files that are named, and in what is asked of plugins."""
    chains = _chains(configuration)
    problems = [problem for path, place in chains.items() if (problem := _problem_of(place, load_chain, path))]
    problems += dict.fromkeys(problem for s in configuration.signs for problem in _problems_of_options(s, registry))
    problems += _some(_problem_of("formats", lambda _: refuse_unbundled(_signed(configuration, registry), registry), None))
    if any(settings.timestamp for settings in configuration.signs):
        problems += _some(_problem_of("timestamp", registry.witness, "rfc3161"))
    problems += _some(_problem_of("log", lambda _: require_loggable(configuration, registry), None))
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
            registry.opener_entry(key)
        except PluginError as error:
            yield str(error)
    for place in configuration.publish:
        try:
            registry.publisher(place.to)
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


def _signed(configuration: Configuration, registry: Registry) -> Iterator[tuple[SignatureSettings, Format]]:
    """Yield the formats that are signed, with the settings by which they are."""
    for settings in configuration.signs:
        formats = map(registry.format, settings.formats)
        yield from ((settings, format_) for format_ in formats if format_.kind != "manifest")


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


def _chains(configuration: Configuration) -> Mapping[Path, str]:
    """Return the files of certificates that are named, and by which key."""
    named = {settings.certificates: "certificates" for settings in configuration.signatures}
    if configuration.contents is not None:
        named.setdefault(configuration.contents.certificates, "contents.certificates")
    return {path: place for path, place in named.items() if path is not None}


def _problems_of_options(settings: SignatureSettings, registry: Registry) -> Iterator[str]:
    """Yield what formats say of values that their settings hold. They are asked with a key of each kind: none is opened."""
    for name, options in settings.options.items():
        format_ = registry.format(name)
        producer: object = format_.producer()
        if not isinstance(producer, ChoosesSchemes):
            continue
        for key in _sample_keys():
            try:
                guarded(format_, "its settings", partial(producer.choose_schemes, key, options))
            except UnsupportedError:  # of this kind of key, which need not be the one that signs
                continue
            except (ConfigurationError, PluginError) as error:
                yield f"format {display(name)}: {error}"


def _sample_keys() -> Iterator[PublicKey]:
    """Yield public keys to which there is no private one, or which everybody has: what matters is their kind."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - where formats have settings only

    yield rsa.RSAPublicNumbers(65537, (1 << 3072) - 1).public_key()
    yield ec.derive_private_key(1, ec.SECP256R1()).public_key()


def _warnings_of_chain(path: Path, chain: Iterable[Certificate], at: datetime) -> Iterator[str]:
    for certificate in chain:
        if when := _when(certificate.not_valid_before_utc, certificate.not_valid_after_utc, at):
            yield f"{display(path)}: the certificate of {display(describe_subject(certificate))} {when}"


def _when(begins: datetime | None, ends: datetime | None, at: datetime) -> str:
    """Return what there is to say of a time, both ends of which are inclusive; empty where it lasts."""
    if ends is not None and ends < at:
        return f"ended at {_instant(ends)}"
    if begins is not None and begins > at:
        return f"begins at {_instant(begins)}"
    return f"ends at {_instant(ends)}" if ends is not None and ends - at <= SOON else ""


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"
