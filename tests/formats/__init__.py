"""Tests of the formats: vectors, hostile input, and what other tools make of the output."""
