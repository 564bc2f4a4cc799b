"""Sign the releases of Python projects with keys that stay in their hardware, and verify them."""

__version__ = "0.1.0"
