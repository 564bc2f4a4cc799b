"""Independent programs that check what hatch-sign writes."""
