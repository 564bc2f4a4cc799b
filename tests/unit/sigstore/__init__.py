"""Signing by an identity: the core with a stand-in, and the parts of the plugin that need no instance."""
