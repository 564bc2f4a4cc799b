"""The format ``statement``: one signed in-toto statement over all artifacts of a release. A plugin module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Format, hookimpl

if TYPE_CHECKING:
    from hatch_sign.formats.statement.producer import StatementProducer
    from hatch_sign.formats.statement.verifier import StatementVerifier


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format; its producer and its verifier are imported apart, when they are asked for."""
    return Format(
        name="statement",
        kind="aggregate",
        suffix=".intoto.sigstore.json",
        verifier=_verifier,
        producer=_producer,
        options={"bundle-certificate": bool, "provenance": str},
        carries_log_entries=True,
        states_provenance=lambda options: options.get("provenance") != "never",
    )


def _verifier() -> StatementVerifier:
    from hatch_sign.formats.statement.verifier import StatementVerifier  # noqa: PLC0415 - only to verify

    return StatementVerifier()


def _producer() -> StatementProducer:
    from hatch_sign.formats.statement.producer import StatementProducer  # noqa: PLC0415 - only to sign

    return StatementProducer()
