"""Tests of the use case of a build."""
