"""Keyless Sigstore for hatch-sign."""
