"""Build backends of others, wrapped by ours, under the front ends that people use."""
