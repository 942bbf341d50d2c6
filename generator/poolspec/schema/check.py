"""Check a document by a schema, and name each place where it differs.

jsonschema does the checking. It is imported here, when it is needed: it takes longer to import
than most commands take to run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from poolspec.errors import expected, shown
from poolspec.spec.fields import Json

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One difference between a document and a schema."""

    path: Path
    """Keys and indices, from the top of the document."""
    message: str
    hint: str = ""
    of_key: bool = False
    """It is about the last key of the path, not about the value under it."""

    @property
    def place(self) -> str:
        """The path as text: `tests[0].outcome`; empty for the whole document."""
        return key_path(self.path)


def key_path(path: Path) -> str:
    """Return a path as text."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def faults(document: object, schema: Json) -> list[Fault]:
    """Return all differences, in the order of the document's paths."""
    errors = (_deepest(error) for error in validator(schema).iter_errors(document))
    found = dict.fromkeys(fault for error in errors for fault in _worded(error))
    return sorted(found, key=lambda fault: [str(part) for part in fault.path])


def validator(schema: Json) -> Any:
    """Return a validator to which 2.0 is no integer, as it is none to the reader of specs."""
    from jsonschema import Draft7Validator
    from jsonschema.validators import extend

    types = Draft7Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    strict = extend(Draft7Validator, type_checker=types)  # type: ignore[no-untyped-call]
    return strict(schema)


def _deepest(error: "ValidationError") -> "ValidationError":
    """Return the fault to report of a value that fits none of several forms.

    That is a fault of the form that it comes closest to: the one with the right keys, or else the
    one in which the fault lies deepest.
    """
    while error.context:
        forms: dict[object, list[ValidationError]] = {}
        for inner in error.context:
            forms.setdefault(inner.relative_schema_path[0], []).append(inner)
        closest = min(forms.values(), key=_distance)
        if _is_far(closest):
            return error
        error = max(closest, key=lambda inner: len(inner.relative_path))
    return error


def _distance(errors: list["ValidationError"]) -> tuple[bool, int, int]:
    missing = any(inner.validator == "required" and not inner.relative_path for inner in errors)
    deepest = max(len(inner.relative_path) for inner in errors)
    return _is_far(errors) or missing, len(errors), -deepest


def _is_far(errors: list["ValidationError"]) -> bool:
    """Return whether a form differs in the type of the whole value, or in its only words."""
    return any(
        inner.validator in ("type", "enum", "const", "pattern") and not inner.relative_path
        for inner in errors
    )


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _worded(error: "ValidationError") -> Iterator[Fault]:
    """Yield a fault in our words."""
    path: Path = tuple(error.absolute_path)
    given: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "required":
            for name in (name for name in rule if name not in given):
                yield Fault(path, f"the key {shown(name)} is missing")
        case "additionalProperties":
            known = tuple(schema.get("properties", ()))
            for name in (name for name in given if name not in known):
                yield Fault(
                    (*path, name), f"unknown key {shown(name)}", expected(known, name), True
                )
        case "enum":
            words = tuple(str(word) for word in rule)
            yield Fault(path, f"{_said(given)} is none of {', '.join(words)}")
        case "const":
            yield Fault(path, f"expected {rule!r}, found {_said(given)}")
        case "type":
            yield Fault(path, f"expected {_type(rule)}, found {_said(given)}")
        case "anyOf":
            forms = ", ".join(dict.fromkeys(_forms(rule)))
            yield Fault(path, f"{_said(given)} does not fit; expected {forms}")
        case "pattern":
            yield Fault(path, f"{_said(given)} has another form than this key takes")
        case _:
            yield Fault(path, error.message[:200])


def _type(rule: str | Sequence[str]) -> str:
    names = [rule] if isinstance(rule, str) else rule
    return " or ".join(_TYPES[name] for name in names)


def _forms(rule: Iterable[Json]) -> Iterator[str]:
    for form in rule:
        if "enum" in form:
            yield f"one of {', '.join(map(str, form['enum']))}"
        elif "type" in form:
            yield _type(form["type"])


def _said(given: object) -> str:
    if isinstance(given, Mapping):
        return "a mapping"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str):
        return f"the text {shown(given)}"
    return "nothing" if given is None else str(given).lower()
