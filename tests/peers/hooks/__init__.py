"""The hooks under pre-commit itself, in a real repository with real commits and pushes."""
