"""Fetching revocation lists and OCSP answers, for trust rules that ask whether a certificate was taken back."""
