"""Signature formats: bytes in, bytes out. No I/O of their own, no clock, no environment."""
