"""Fragments of the JSON Schema that several kinds of values share."""

from typing import Any

from poolspec.spec.fields import Json, Key, Place
from poolspec.spec.formulas import FORMULA_PATTERN
from poolspec.spec.quantities import Quantity
from poolspec.spec.scalars import DURATION_PATTERN, PERCENT_PATTERN

_PARAMETER_SCHEMA: Json = {"type": "string", "pattern": rf"^{FORMULA_PATTERN}$"}


def place_schema(place: Place) -> Json:
    """How JSON Schema describes a mapping with the keys of a place."""
    properties = {key.name: _described(key) for key in place.keys}
    schema: Json = {
        "type": "object",
        "properties": properties,
        "additionalProperties": place.other.schema if place.other else False,
    }
    if place.required:
        schema["required"] = [key.name for key in place.required]
    return schema


def _described(key: Key[Any]) -> Json:
    """The schema of a key's values, with its meaning. Draft-07 sees nothing beside a `$ref`."""
    schema = key.kind.schema
    return {"description": key.meaning, **({"allOf": [schema]} if "$ref" in schema else schema)}


def number_schema(quantity: Quantity) -> Json:
    """A number of a quantity; of durations only 0 goes without a unit."""
    bounds: Json = {"minimum": quantity.low, "maximum": quantity.high}
    if quantity.timed:
        return {"enum": [0]}
    return {"type": "integer" if quantity.whole else "number", **bounds}


def comparison_schema(quantity: Quantity) -> Json:
    """The forms of a comparison; bounds, and which way a range goes, it does not say."""
    one = rf"({FORMULA_PATTERN}|{quantity.pattern})"
    compared = rf"((<=|>=|!=|<|>) *)?{one}"
    return {"type": "string", "pattern": rf"^({compared}|{one} *\.\. *{one}|{one} *(±|\+-) *.+)$"}


def value_choices(quantity: Quantity) -> list[Json]:
    """The ways to write a literal value of a quantity."""
    choices = [number_schema(quantity)]
    if quantity.timed:
        choices.append({"type": "string", "pattern": f"^{DURATION_PATTERN}$"})
    if quantity.ratio:
        choices.append({"type": "string", "pattern": f"^{PERCENT_PATTERN}$"})
    return choices


def value_schema(quantity: Quantity) -> Json:
    """A value of a quantity, or a matrix parameter."""
    return {"anyOf": [*value_choices(quantity), _PARAMETER_SCHEMA]}
