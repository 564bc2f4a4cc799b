"""Authenticode: signatures inside PE files, such as ``.exe``, ``.dll``, ``.pyd`` and ``.sys``. A plugin module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract.hookspecs import hookimpl

if TYPE_CHECKING:
    from hatch_sign.contract.formats import Format
    from hatch_sign_authenticode.producer import AuthenticodeProducer
    from hatch_sign_authenticode.verifier import AuthenticodeVerifier


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format; its producer and its verifier are imported apart, when they are asked for."""
    from hatch_sign.contract.formats import Format  # noqa: PLC0415 - listing plugins does without

    return Format(
        name="authenticode",
        kind="embedded",
        suffix="",
        verifier=_verifier,
        producer=_producer,
        options={
            "authenticode-description": str,
            "authenticode-hash": str,
            "authenticode-url": str,
            "authenticode-page-hashes": bool,
            "authenticode-nested": bool,
        },
    )


def _verifier() -> AuthenticodeVerifier:
    from hatch_sign_authenticode.verifier import AuthenticodeVerifier  # noqa: PLC0415 - only where something is verified

    return AuthenticodeVerifier()


def _producer() -> AuthenticodeProducer:
    from hatch_sign_authenticode.producer import AuthenticodeProducer  # noqa: PLC0415 - only where something is signed

    return AuthenticodeProducer()
