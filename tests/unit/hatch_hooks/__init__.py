"""Tests of what Hatch calls."""
