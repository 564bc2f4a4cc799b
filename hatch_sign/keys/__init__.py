"""Use any key by its reference: what a program that lends keys to others needs of hatch-sign, and nothing more."""

from hatch_sign.keys.keys import Keys

__all__ = ["Keys"]
