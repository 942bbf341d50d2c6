"""Kinds of values and keys that stand in several places of a test."""

from dataclasses import replace

from poolspec.errors import shown
from poolspec.spec.fields import Json, Key, Kind, Reader, Wrong, scalar
from poolspec.spec.kinds import (
    check_kind,
    enum_kind,
    list_kind,
    name_kind,
    scalar_kind,
    some_kind,
    text_kind,
    value_kind,
)
from poolspec.spec.names import HELPER, LABEL, PYTHON, RESERVED, label_fault
from poolspec.spec.quantities import COUNT, DURATION, LIMIT
from poolspec.spec.scalars import YAML_WORDS
from poolspec.spec.tree import Node
from poolspec.vocabulary import ErrorKind

NAME = replace(
    name_kind("a name", label_fault, LABEL.pattern), schema={"$ref": "#/definitions/name"}
)
NAME_SCHEMA: Json = {
    "type": "string",
    "pattern": f"^(?!{HELPER.pattern}$){LABEL.pattern}$",
    "not": {"enum": sorted(RESERVED | PYTHON | YAML_WORDS)},
}
"""Names stand in many places; so their schema is a definition."""


def _step_fault(word: str) -> str:
    return (
        "" if LABEL.fullmatch(word) else "a name is a small letter, then small letters, digits, _"
    )


def _read_flag(_: Reader, node: Node) -> bool:
    text = scalar(node, "true or false")
    if not text.plain or text.text not in ("true", "false"):
        raise Wrong(node, f"expected true or false, found {shown(text.text)}")
    return text.text == "true"


STEP_NAME = name_kind("a step's name", _step_fault, LABEL.pattern)
NAMES = list_kind("a list of names", NAME, low=1)
SOME_NAMES = some_kind("a name or a list of names", NAME)
SECONDS = value_kind(DURATION)
TIME_LIMIT = value_kind(LIMIT)
FAILURE = enum_kind("a kind of error", ErrorKind)
SCALAR = scalar_kind("a single value")
SCALARS = list_kind("a list of values", SCALAR)
ROWS = list_kind("a list of rows", SCALARS)
COUNTED = check_kind(COUNT)
TIMED = check_kind(DURATION)
SQL = text_kind("an SQL statement", 10_000)
SHORT_TEXT = text_kind("a text", 200)
TEXT = text_kind("a text", 2_000)
TEXTS = some_kind("a text or a list of texts", SHORT_TEXT)
CONFIG_NAME = text_kind("a name of a configuration", 100)
FLAG = Kind("true or false", _read_flag, {"type": "boolean"})

FROM = Key(
    "from", NAME, "the pool, if it is not the test's own", "second", default="the test's pool"
)
TIMEOUT = Key("timeout", SECONDS, "longest time to wait", "2s", default="the pool's timeout")
FAILS = Key("fails", FAILURE, "the step must fail in this way", "timeout", default="it succeeds")
SAYS = Key("says", TEXTS, "texts that the error must contain", "waiting=1", default="anything")
TOOK = Key("took", TIMED, "how long each call must take", '"1s ± 5%"', default="any time")
MAY_REFUSE = Key("may_refuse", FLAG, "whether the pool may refuse", "true", default="false")
