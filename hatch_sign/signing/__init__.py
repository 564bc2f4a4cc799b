"""Signing a release: plan it, sign it, check what was made, and only then put it in its place."""
