"""The gate before a release: whether what lies in a folder is the release that it is meant to be. Changes nothing."""
