"""The hooks for pre-commit: a module with a ``main(argv)`` for each. They import little before there is something to do."""
