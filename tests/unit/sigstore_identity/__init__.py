"""Whom Sigstore's identities vouch for: the rule, the attestations, and a Sigstore that is made of keys alone."""
