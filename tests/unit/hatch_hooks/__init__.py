"""Tests of the build hook's decisions."""
