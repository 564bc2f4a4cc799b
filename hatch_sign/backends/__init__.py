"""Backends that come with hatch-sign. They register through the entry points that any other plugin uses."""
