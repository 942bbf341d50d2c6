"""The schema of spec files, for the YAML support of editors and for other tools.

It is made from the tables of keys that the reader uses, so the two cannot differ. A schema knows
keys, types and words. Labels, actors, parameters and bounds of durations are known to `load` only.
"""

import json

from poolspec.loading.files import FILES, VERSION
from poolspec.spec.common import NAME_SCHEMA
from poolspec.spec.fields import Json
from poolspec.spec.fragments import place_schema
from poolspec.spec.steplist import steps_schema
from poolspec.steps.kind import PLACES


def json_schema() -> Json:
    """The schema, as the values that `json` would give for it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"poolspec, version {VERSION}",
        "description": "How a connection pool must behave: one test class in each file.",
        "definitions": {"name": NAME_SCHEMA, "steps": steps_schema(PLACES)},
        "type": "object",
        "required": ["spec"],
        "anyOf": [place_schema(place) for place in FILES.values()],
    }


def schema_text() -> str:
    """The schema as the text of a file; the same bytes each time."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
