"""Keyless signatures before sigstore-python, cosign and @sigstore/verify, on a Sigstore of the tests."""
