"""Publishing: what is sent, when, and what is told of it."""
