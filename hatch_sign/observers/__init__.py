"""Observers that are part of hatch-sign."""
