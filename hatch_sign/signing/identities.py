"""What an identity that signs bundles can make, said before it is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.bundle_signers import SignsByBundle, TakesSomeArtifacts
from hatch_sign.contract.references import without_query
from hatch_sign.values.display import display
from hatch_sign.values.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hatch_sign.configuration.model import SignatureSettings
    from hatch_sign.contract import Format
    from hatch_sign.registry import Registry
    from hatch_sign.signing.planned import PlannedFile

_NOT_USED = "signatures by an identity have the certificates, timestamps and log entries of its Sigstore instance"


def refuse_unbundled(signatures: Iterable[tuple[SignatureSettings, Format]], registry: Registry) -> None:
    """Raise UnsupportedError for a format that is to be signed by an identity and cannot be put in a bundle."""
    for settings, format_ in signatures:
        if registry.signs_bundles(settings.key):
            bundling_producer(format_, settings.key)


def refuse_untaken(files: Iterable[PlannedFile], registry: Registry) -> None:
    """Raise UnsupportedError for an artifact that an identity is to sign in a format that does not take it.

    Found out later, what was signed before would stand in a public log already.
    """
    for file in files:
        if file.format.kind == "sidecar" and registry.signs_bundles(file.settings.key):
            producer = file.format.producer()
            if isinstance(producer, TakesSomeArtifacts):
                producer.require_artifact(file.covers)


def bundling_producer(format_: Format, reference: str) -> SignsByBundle:
    """Return the format's producer. Raises UnsupportedError, naming the identity, for one that needs a key."""
    producer = format_.producer()
    if isinstance(producer, SignsByBundle):
        return producer
    shown = display(without_query(reference))
    message = f"format {format_.name} needs a key, and {shown} is an identity, which signs Sigstore bundles only"
    raise UnsupportedError(message, remedy="sign it with a key, or choose the formats sigstore or statement")


def unused_settings(settings: SignatureSettings) -> str:
    """Return a warning of settings that are for keys only; empty where none of them is set."""
    keyed = {"certificates": settings.certificates, "timestamp": settings.timestamp, "log": settings.log}
    named = [name for name, value in keyed.items() if value]
    if not named:
        return ""
    quoted = " and ".join(f"`{name}`" for name in named)
    return f"{quoted} not used for {display(without_query(settings.key))}: {_NOT_USED}"
