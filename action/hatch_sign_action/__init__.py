"""The program of the GitHub Action. It runs before anything is installed: the standard library, and `hatch_sign.values`."""
