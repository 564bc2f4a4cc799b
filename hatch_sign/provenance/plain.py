"""Builds on any other machine: what is said of them is that nobody but the signer vouches for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign import __version__
from hatch_sign.formats.slsa import PLAIN_BUILD_TYPE, PLAIN_BUILDER, Build

if TYPE_CHECKING:
    from datetime import datetime

    from hatch_sign.provenance.checkout import Checkout


def describe_plain_build(checkout: Checkout | None, now: datetime) -> Build:
    """Return what is known: the commit, where there is one, and that the artifacts were built by `now`."""
    return Build(
        build_type=PLAIN_BUILD_TYPE,
        builder=PLAIN_BUILDER,
        versions={"hatch-sign": __version__},
        dependencies=() if checkout is None else (checkout.dependency,),
        finished=now,
    )
