"""The use case of a build: what was built is signed, judged by the project's own policy, and withdrawn where that fails."""
