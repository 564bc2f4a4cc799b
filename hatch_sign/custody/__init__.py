"""Custody: secrets, and keys that are asked to sign and checked after every call."""
