"""Artifacts on disk: finding them, reading each once, and the names of the files that belong to them."""
