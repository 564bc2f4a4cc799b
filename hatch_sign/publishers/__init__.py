"""The places that the core publishes to: package indexes, releases on GitHub, folders."""
