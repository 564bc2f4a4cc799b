"""A Sigstore instance: where its services are, and what vouches for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sigstore.errors import Error
from sigstore.models import ClientTrustConfig

from hatch_sign.remote import Failure, FailureKind
from hatch_sign.remote.causes import causes_of
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from sigstore.models import SigningConfig, TrustedRoot

    from hatch_sign.remote import ServiceCaller
    from hatch_sign_sigstore.signing.patience import Patience
    from hatch_sign_sigstore.signing.reference import SigstoreReference

LARGEST_FILE = 1 << 22
"""Bytes of a client trust configuration; that of the public instance has some 10,000."""

_NOT_TRUSTED = frozenset(
    {"UnsignedMetadataError", "BadVersionNumberError", "ExpiredMetadataError", "LengthOrHashMismatchError"}
)
_NO_CONFIGURATION = "give the client trust configuration of the instance, as `sigstore --trust-config` takes it"


class Instance:
    """What one client trust configuration says, read anew for each version of the log that is asked for."""

    def __init__(self, config: ClientTrustConfig, reference: SigstoreReference) -> None:
        """Take the configuration. Raises ConfigurationError where its services are not what the reference wants."""
        self._config = config
        self._reference = reference
        self.root: TrustedRoot = config.trusted_root
        self.services = self._services(reference.rekor_version)

    def services_of_v1(self) -> SigningConfig:
        """Return the services with a log of version 1. Raises ConfigurationError where the instance has none."""
        return self._services(1)

    def oidc_url(self) -> str:
        """Return where a person proves who they are. Raises ConfigurationError where the instance does not say."""
        if self._reference.oidc_issuer is not None:
            return self._reference.oidc_issuer
        try:
            return self.services.get_oidc_url()
        except Error:
            message = f"{self._reference.name}: the instance names no issuer of identities"
            raise ConfigurationError(message, remedy="name one by `oidc-issuer`") from None

    def _services(self, version: int | None) -> SigningConfig:
        self._config.force_tlog_version = version
        try:
            return self._config.signing_config
        except (Error, ValueError):
            log = "a transparency log" if version is None else f"a transparency log of version {version}"
            message = f"{self._reference.name}: the instance lacks {log}, or a certificate authority"
            raise ConfigurationError(message, remedy="choose another `rekor-version`, format or instance") from None


def load_instance(reference: SigstoreReference, caller: ServiceCaller, patience: Patience) -> Instance:
    """Return the instance that the reference means: from its file, or as its TUF repository has it now.

    Raises ConfigurationError for a file that is none, CustodyError where the repository cannot be had.
    """
    if reference.trust_config is not None:
        return Instance(_read_file(reference.trust_config, reference.name), reference)
    return Instance(caller.call(lambda: patience.call(lambda: _fetch(reference))), reference)


def _fetch(reference: SigstoreReference) -> ClientTrustConfig:
    if reference.instance is not None:
        return ClientTrustConfig.from_tuf(reference.instance)
    return ClientTrustConfig.staging() if reference.staging else ClientTrustConfig.production()


def classify_tuf(error: Exception) -> Failure:
    """Return what it means that a TUF repository cannot be had, or is not what it should be."""
    behind = causes_of(error)
    if any(isinstance(each, FileNotFoundError) for each in behind):
        remedy = "check its root of trust, then run once: sigstore --instance URL trust-instance ROOT"
        return Failure(
            FailureKind.INVALID, found="is not known here: nothing says which root of trust it has", remedy=remedy
        )
    if any(type(each).__name__ in _NOT_TRUSTED for each in behind):
        return Failure(FailureKind.MALFORMED, found="has metadata that is not to be trusted")
    return Failure(FailureKind.UNAVAILABLE)


def _read_file(path: str, name: str) -> ClientTrustConfig:
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or "not a path"
        message = f"{name}: the trust-config {display(path)} cannot be read: {problem}"
        raise ConfigurationError(message, remedy=_NO_CONFIGURATION) from None
    try:
        if len(data) <= LARGEST_FILE:
            config = ClientTrustConfig.from_json(data.decode("utf-8"))
            _ = config.trusted_root, config.trusted_root.get_fulcio_certs()  # a wrong file is told of before all else
            return config
    except (Error, ValueError):
        pass  # pydantic's errors repeat the file, over many lines
    message = f"{name}: the trust-config {display(path)} is no client trust configuration"
    raise ConfigurationError(message, remedy=_NO_CONFIGURATION)
