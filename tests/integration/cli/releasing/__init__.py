"""The gate before a release, through the command line and the hooks."""
