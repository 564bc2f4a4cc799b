"""Keys in cloud services, as backends of hatch-sign: one sub-package for each provider, on the provider's own SDK.

Importing one imports nothing of its SDK: that happens when a key is opened.
"""
