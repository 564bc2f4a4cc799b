"""The configuration as a whole: read without a mistake, its plugins there, and what it requires within reach of a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.configuration.building import build_policy, trust_header
from hatch_sign.contract.references import without_query
from hatch_sign.diagnosis.checks import Check, Examination, attempt, failures, ok, warning
from hatch_sign.diagnosis.credentials import Expected
from hatch_sign.registry.entries import choose
from hatch_sign.signing.logs import PROVIDER as LOGS
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from hatch_sign.configuration.model import Configuration, TrustSettings
    from hatch_sign.contract import RevocationSource
    from hatch_sign.registry import Registry

ABOUT = "configuration"


def examine_configuration(
    configuration: Configuration, registry: Registry, *, problems: Iterable[str], warnings: Iterable[str]
) -> Examination:
    """Return what is found. `problems` and `warnings` are those of ``hatch-sign config check``."""
    checks = [_file(configuration)]
    for problem in problems:
        checks += failures("mistake", ConfigurationError(problem))
    checks += [warning("notice", text) for text in warnings]
    checks += attempt("formats", lambda: _plugins(configuration, registry), about=ABOUT)[0]
    checks += _required(configuration)
    return Examination(ABOUT, tuple(checks))


def unreadable_configuration(error: ConfigurationError) -> Examination:
    """Return what there is to say of a configuration that does not load: every mistake in it."""
    return Examination(ABOUT, tuple(failures("file", error)))


def expected_of(
    configuration: Configuration,
    registry: Registry,
    reference: str,
    *,
    now: datetime,
    revocations: RevocationSource | None = None,
) -> Expected:
    """Return what the configuration wants of a key, which it may name with another query; wrong trust is left out.

    Rules may ask `revocations` whether the key's certificate was revoked.
    """
    named = without_query(reference)
    signatures = tuple(each for each in configuration.signs if without_query(each.key) == named)
    if not signatures:
        return Expected(now)
    try:
        policy = build_policy(configuration, registry, at=now, revocations=revocations)
    except ConfigurationError:
        policy = None  # nobody is trusted, or a rule is wrong, as the examination of the configuration says
    return Expected(now, signatures, configuration.minimum_protection, policy)


def _file(configuration: Configuration) -> Check:
    remedy = "write `key` into it, or name a key: hatch-sign doctor URI"
    if configuration.path is None and not configuration.signs:
        message = f"{display(configuration.directory)} holds no configuration"
        (check,) = failures("file", ConfigurationError(message, remedy="name one with --config, or name a key"))
        return check
    if configuration.path is None:
        found = f"{display(configuration.directory)} holds none; what is signed is said by the environment alone"
        return warning("file", found, "write it down: see `hatch-sign config check`")
    if not configuration.signs:
        return warning("file", f"{display(configuration.path)} names no key: it only verifies", remedy)
    return ok("file", display(configuration.path))


def _plugins(configuration: Configuration, registry: Registry) -> Iterator[Check]:
    formats = dict.fromkeys(name for settings in configuration.signs for name in settings.formats)
    for name in formats:
        registry.format(name)
        yield ok("format", choose(registry.entries, "format", name).title)
    if any(settings.timestamp for settings in configuration.signs):
        yield from attempt("witness", lambda: _witness(registry, "rfc3161"), about=ABOUT)[0]
    if any(settings.log for settings in configuration.signatures):
        yield from attempt("witness", lambda: _witness(registry, LOGS), about=ABOUT)[0]


def _witness(registry: Registry, name: str) -> Iterator[Check]:
    registry.witness(name)
    yield ok("witness", choose(registry.entries, "witness", name).title)


def _required(configuration: Configuration) -> Iterator[Check]:
    """Yield, for each name that is required, whether some rule may speak of it at all; whose word counts is not judged."""
    rules = configuration.verify.trust
    for name in configuration.verify.require if rules else ():
        able = [rule.label for rule in rules if _may_vouch(rule, name, configuration)]
        if able:
            yield ok("required", f"{display(name)}, for which {display(' or '.join(able))} may vouch")
            continue
        message = f"{display(name)} is required, and no trust rule is for it: nothing would ever be trusted"
        remedy = f"widen `formats` or `signatures` of a rule, or add one: {trust_header(configuration)}"
        yield from failures("required", ConfigurationError(message, remedy=remedy))


def _may_vouch(rule: TrustSettings, name: str, configuration: Configuration) -> bool:
    """Return whether a rule may vouch for a signature that makes up for the requirement `name`, a format or a signature."""
    made = {(each.name or each_format, each_format) for each in configuration.signs for each_format in each.formats}
    pairs = {pair for pair in made if name in pair}
    if not pairs:  # made elsewhere: of a signature only its name is known, of a format nothing but itself
        is_signature = name in configuration.signature_names
        return (rule.signatures is None or name in rule.signatures) and (
            is_signature or rule.formats is None or name in rule.formats
        )
    return any(
        (rule.signatures is None or signature in rule.signatures) and (rule.formats is None or format_ in rule.formats)
        for signature, format_ in pairs
    )
