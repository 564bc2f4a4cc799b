"""Fletcher's checksum over bytes."""

from fletcher32._fletcher32 import checksum

__all__ = ["checksum"]
