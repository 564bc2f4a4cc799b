"""Verifying a release. Needs no key, no backend and no network, and imports nothing that signs."""
