"""The format ``cms``: a detached CMS signature beside each artifact. A plugin module, cheap to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.contract import Format, hookimpl

if TYPE_CHECKING:
    from hatch_sign.formats.cms.producer import CmsProducer
    from hatch_sign.formats.cms.verifier import CmsVerifier


@hookimpl
def hatch_sign_register_format() -> Format:
    """Register the format; its producer and its verifier are imported apart, when they are asked for."""
    return Format(
        name="cms",
        kind="sidecar",
        suffix=".p7s",
        verifier=_verifier,
        producer=_producer,
        options={"cms-pem": bool, "cms-pss": bool},
    )


def _verifier() -> CmsVerifier:
    from hatch_sign.formats.cms.verifier import CmsVerifier  # noqa: PLC0415 - only where something is verified

    return CmsVerifier()


def _producer() -> CmsProducer:
    from hatch_sign.formats.cms.producer import CmsProducer  # noqa: PLC0415 - only where something is signed

    return CmsProducer()
