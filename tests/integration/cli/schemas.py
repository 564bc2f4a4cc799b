"""Documents of the command line, held against the schemas that are shipped with it."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema


def validate(document: object, schema: str) -> None:
    text = resources.files("hatch_sign").joinpath(f"schemas/{schema}.v1.json").read_text()
    jsonschema.validate(document, json.loads(text), format_checker=jsonschema.FormatChecker())
