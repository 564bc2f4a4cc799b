"""Find plugins by their entry points, load only those that are needed, and name the distribution of any that fails."""

from hatch_sign.registry.registry import PluginRow, Registry

__all__ = ["PluginRow", "Registry"]
