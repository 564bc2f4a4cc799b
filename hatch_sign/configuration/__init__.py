"""The configuration: found, read, checked as a whole, and turned into values. Opens no backend."""
