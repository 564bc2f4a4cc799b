"""Values that cross every border: errors, algorithms, artifacts, outcomes. No I/O, no clock, no environment."""
