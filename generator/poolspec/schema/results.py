"""The schema of results files: a run writes them, the report and other tools read them."""

import json
from collections.abc import Sequence
from typing import Final

from poolspec.spec.fields import Json
from poolspec.vocabulary import Concurrency
from poolspec.vocabulary.outcomes import (
    CONTROL_FIGURES,
    LOAD_COUNTS,
    LOAD_FIGURES,
    REAL_PARTS,
    RESULTS_VERSION,
    Outcome,
)
from poolspec.vocabulary.timeline import Series, Total

_TEXT: Final = {"type": "string"}
_SECONDS: Final = {"type": "number", "minimum": 0}


def results_schema() -> Json:
    """Return the schema, as the values that `json` would give for it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"poolspec results, version {RESULTS_VERSION}",
        "description": "The results of one run of generated tests.",
        "type": "object",
        "required": ["schema", "pool", "server", "seconds", "tests"],
        "properties": {
            "schema": {"description": "version of this format", "const": RESULTS_VERSION},
            "pool": {"description": "name of the pool under test", **_TEXT},
            "server": _SERVER,
            "seconds": {"description": "duration of the run", **_SECONDS},
            "partial": {
                "description": "why not all tests have run, and how many have; empty if all have",
                **_TEXT,
            },
            "tests": {
                "description": "one entry per test, case and concurrency",
                "type": "array",
                "items": _TEST,
            },
        },
    }


def results_schema_text() -> str:
    """Return the schema as the text of a file; the same bytes each time."""
    return json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n"


_SERVER: Final = {
    "description": "the database server of the run",
    "type": "object",
    "required": ["description"],
    "properties": {
        "kind": _TEXT,
        "description": _TEXT,
        "version": _TEXT,
        "note": {"description": "why `auto` has not chosen the server that it prefers", **_TEXT},
    },
}
_REAL: Final = {
    "description": "kind of server, socket, driver and clock; empty for a test that did not run",
    "type": "object",
    "properties": dict.fromkeys(REAL_PARTS, _TEXT),
    "if": {"minProperties": 1},
    "then": {"required": list(REAL_PARTS)},
}
_FIGURES: Final = {figure: {"type": "number"} for figure in (*LOAD_FIGURES, *LOAD_COUNTS)}
_LOAD: Final = {
    "type": "object",
    "required": list(LOAD_FIGURES),
    "properties": {
        "load": {"description": "label of the load", **_TEXT},
        **_FIGURES,
        "cpu": {"description": "seconds of CPU for each operation", "type": "number"},
        "kinds": {
            "description": "figures of each kind of operation or request; times if one succeeded",
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["operations", "failed", "throughput"],
                "properties": _FIGURES,
            },
        },
    },
}
_COUNT: Final = {"type": "integer", "minimum": 0}
_POOL: Final = {"description": "number of the pool, in the order in which they were made", **_COUNT}


def _columns(description: str, names: Sequence[str]) -> Json:
    """Return the schema of columns of equal length."""
    column = {"type": "array", "minItems": 1, "items": {"type": "number", "minimum": 0}}
    properties = dict.fromkeys(names, column)
    return {
        "description": description,
        "type": "object",
        "required": list(names),
        "properties": properties,
    }


_COURSE: Final = {
    "type": "object",
    "required": ["pool", "thinned", "points", "totals"],
    "properties": {
        "pool": _POOL,
        "limit": {"description": "its largest limit; null: none", "type": ["integer", "null"]},
        "thinned": {
            "description": "whether each point is an interval; else something changed at its time",
            "type": "boolean",
        },
        "points": _columns(
            "times, and the mean of each figure from a time to the next one", ["at", *Series]
        ),
        "totals": _columns("counted from the start of the test to the end of each point", [*Total]),
        "most": _columns("highest figures; left out if they are those of `points`", [*Series]),
    },
}
_TIMELINE: Final = {
    "description": "figures of the pools over the time of a system, performance or chaos test",
    "type": "object",
    "required": ["seconds", "pools", "errors", "faults"],
    "properties": {
        "seconds": {"description": "duration by the test's clock", **_SECONDS},
        "events": {
            "description": "number of events, if no time passed: then times are their numbers",
            **_COUNT,
        },
        "pools": {"type": "array", "items": _COURSE},
        "pools_left_out": {"description": "pools that are not listed", **_COUNT},
        "errors": {
            "description": "errors of one kind, with the time of the first",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "pool", "error", "count"],
                "properties": {"at": _SECONDS, "pool": _POOL, "error": _TEXT, "count": _COUNT},
            },
        },
        "faults": {
            "description": "faults that the test set; `to` is null for one that was not healed",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["fault", "from", "to"],
                "properties": {
                    "fault": _TEXT,
                    "from": _SECONDS,
                    "to": {"type": ["number", "null"], "minimum": 0},
                },
            },
        },
    },
}
_CONTROL: Final = {
    "description": "figures of the control that ran beside the test; empty without one",
    "type": "object",
    "properties": {figure: {"type": "number"} for figure in CONTROL_FIGURES},
    "if": {"minProperties": 1},
    "then": {"required": list(CONTROL_FIGURES)},
}
_TEST: Final = {
    "type": "object",
    "required": ["id", "outcome", "seconds", "reason"],
    "properties": {
        "id": {"description": "spec and test: limits.pool_size_limit", **_TEXT},
        "case": {"description": "the row of the matrix; empty without one", **_TEXT},
        "group": {"description": "the test class", **_TEXT},
        "concurrency": {
            "description": "threads, where it is left out",
            "enum": [str(word) for word in Concurrency],
        },
        "outcome": {"enum": [str(word) for word in Outcome]},
        "seconds": _SECONDS,
        "reason": {"description": "of a test that did not pass; else empty", **_TEXT},
        "real": _REAL,
        "loads": {
            "description": "figures of each load in real time",
            "type": "array",
            "items": _LOAD,
        },
        "control": _CONTROL,
        "findings": {
            "description": "broken invariants, each with the name of its defect first",
            "type": "array",
            "items": _TEXT,
        },
        "timeline": _TIMELINE,
        "run_again": {
            "description": "why the test was run again; the other values are from that second run",
            **_TEXT,
        },
    },
}
