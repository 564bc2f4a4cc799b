"""Trust given on the command line, in place of what is configured."""

from __future__ import annotations

from pathlib import Path

from hatch_sign.configuration.model import TrustSettings
from hatch_sign.values.display import display
from hatch_sign.values.errors import UsageError

_INSTANCES = ("production", "staging")
"""Public Sigstore instances, whose trusted roots need no file."""


def adhoc_trust(
    *,
    key: str | None = None,
    certificate_roots: str | None = None,
    subject: str | None = None,
    identity: str | None = None,
    issuer: str | None = None,
    trusted_root: str | None = None,
    directory: Path = Path(),
) -> tuple[TrustSettings, ...]:
    """Return a rule for each way of trust that the command line names; none where it names none.

    Names of files are taken from `directory`: the working directory, not the configuration's. Raises UsageError for
    half a rule: roots without a subject, or an identity without its issuer, would trust strangers. `trusted_root` is that of
    the identity: a file, or the name of an instance that `trusted-root` of a configured rule may hold, too.
    """
    _require_both("--certificate-roots", certificate_roots, "--subject", subject)
    _require_both("--cert-identity", identity, "--cert-oidc-issuer", issuer)
    if trusted_root is not None and identity is None:
        message = "--trusted-root is given without --cert-identity"
        raise UsageError(message, remedy="give --cert-identity and --cert-oidc-issuer, too")
    rules = []
    if key is not None:
        rules.append(TrustSettings("key", {"public-key": _path(directory, key)}, f"--key {display(key)}"))
    if certificate_roots is not None:
        table = {"certificate-roots": _path(directory, certificate_roots), "subject": subject}
        rules.append(TrustSettings("certificate", table, f"--certificate-roots {display(certificate_roots)}"))
    if identity is not None:
        table = {"identity": identity, "issuer": issuer}
        if trusted_root is not None:
            is_name = trusted_root in _INSTANCES
            table["trusted-root"] = trusted_root if is_name else _path(directory, trusted_root)
        rules.append(TrustSettings("identity", table, f"--cert-identity {display(identity)}"))
    return tuple(rules)


def _path(directory: Path, name: str) -> str:
    return str((directory / name).absolute())


def _require_both(first: str, one: str | None, second: str, other: str | None) -> None:
    if (one is None) != (other is None):
        given, lacking = (second, first) if one is None else (first, second)
        message = f"{given} is given without {lacking}"
        raise UsageError(message, remedy="give both, or neither")
