"""The schema of baseline files: a run saves one, and later runs are compared with it."""

import json
from typing import Final

from poolspec.spec.fields import Json
from poolspec.vocabulary import Concurrency

BASELINE_VERSION: Final = 1
ROUND_FIGURES: Final = ("throughput", "cpu", "control_throughput", "control_cpu")
"""Figures of one round: of a load, and of the control that ran beside it."""

_TEXT: Final = {"type": "string"}
_POSITIVE: Final = {"type": "number", "exclusiveMinimum": 0}
_ROUND: Final = {
    "type": "object",
    "required": list(ROUND_FIGURES),
    "properties": dict.fromkeys(ROUND_FIGURES, _POSITIVE),
    "additionalProperties": False,
}
_LOAD: Final = {
    "type": "object",
    "required": ["test", "case", "concurrency", "load", "rounds"],
    "properties": {
        "test": {"description": "spec and test: performance.mixed", **_TEXT},
        "case": {"description": "the row of the matrix; empty without one", **_TEXT},
        "concurrency": {"enum": [str(word) for word in Concurrency]},
        "load": {"description": "label of the load", **_TEXT},
        "rounds": {"type": "array", "minItems": 3, "items": _ROUND},
    },
    "additionalProperties": False,
}


def baseline_schema() -> Json:
    """Return the schema, as the values that `json` would give for it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"poolspec baseline, version {BASELINE_VERSION}",
        "description": "The figures of the performance layer in several rounds of one run.",
        "type": "object",
        "required": ["schema", "poolspec", "python", "pool", "server", "loads"],
        "properties": {
            "schema": {"description": "version of this format", "const": BASELINE_VERSION},
            "poolspec": {"description": "version of poolspec", **_TEXT},
            "python": {"description": "version of Python, without its last part", **_TEXT},
            "pool": {"description": "name of the pool under test", **_TEXT},
            "server": {"description": "the database server, in words", **_TEXT},
            "loads": {"type": "array", "minItems": 1, "items": _LOAD},
        },
        "additionalProperties": False,
    }


def baseline_schema_text() -> str:
    """Return the schema as the text of a file; the same bytes each time."""
    return json.dumps(baseline_schema(), indent=2, ensure_ascii=False) + "\n"
