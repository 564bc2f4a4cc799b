"""The use case of signatures that are there already and get a timestamp later."""
