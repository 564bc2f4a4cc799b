"""Looking for what keeps a key from signing, step by step. Prints nothing, and tries no secret unless it is asked to."""
