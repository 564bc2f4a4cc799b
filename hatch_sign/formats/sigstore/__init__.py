"""The format ``sigstore``: a Sigstore bundle beside each artifact. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Format, hookimpl

if TYPE_CHECKING:
    from hatch_sign.formats.sigstore.producer import BundleProducer
    from hatch_sign.formats.sigstore.verifier import BundleVerifier


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format; its producer and its verifier are imported apart, when they are asked for."""
    return Format(
        name="sigstore",
        kind="sidecar",
        suffix=".sigstore.json",
        verifier=_verifier,
        producer=_producer,
        options={"bundle-certificate": bool},
        carries_log_entries=True,
    )


def _verifier() -> BundleVerifier:
    from hatch_sign.formats.sigstore.verifier import BundleVerifier  # noqa: PLC0415 - only where something is verified

    return BundleVerifier()


def _producer() -> BundleProducer:
    from hatch_sign.formats.sigstore.producer import BundleProducer  # noqa: PLC0415 - only where something is signed

    return BundleProducer()
