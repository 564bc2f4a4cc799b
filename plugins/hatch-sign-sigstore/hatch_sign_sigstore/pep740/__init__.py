"""The format ``pep740``: the attestation of a wheel or sdist that indexes take along with it. A plugin module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract import Format
    from hatch_sign_sigstore.pep740.producer import AttestationProducer
    from hatch_sign_sigstore.pep740.verifier import AttestationVerifier


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format; its producer and its verifier are imported apart, when they are asked for."""
    from hatch_sign.contract import Format  # noqa: PLC0415 - listing the plugin needs none of it

    return Format(
        name="pep740",
        kind="sidecar",
        suffix=".publish.attestation",
        verifier=_verifier,
        producer=_producer,
        options={"pep740-predicate": str, "trusted-publisher": str, "allow-reusable-workflow": bool},
        states_provenance=lambda options: options.get("pep740-predicate") == "provenance",
    )


def _verifier() -> AttestationVerifier:
    from hatch_sign_sigstore.pep740.verifier import AttestationVerifier  # noqa: PLC0415 - only where something is verified

    return AttestationVerifier()


def _producer() -> AttestationProducer:
    from hatch_sign_sigstore.pep740.producer import AttestationProducer  # noqa: PLC0415 - only where something is signed

    return AttestationProducer()
