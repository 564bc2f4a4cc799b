"""Names the extension: the rest is in pyproject.toml."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("bitsum._bitsum", ["src/bitsum/_bitsum.c"])])
