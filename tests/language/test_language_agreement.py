"""Reader and schema give the same answer for every value of every key.

The reader knows more than a schema can say: bounds, names, the sense of a comparison. Those faults
are listed here by their messages. In all else the two agree.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from poolspec.load import load_suite  # noqa: F401 - it brings every table of keys with it
from poolspec.schema.check import validator
from poolspec.schema.files import values
from poolspec.schema.specs import json_schema
from poolspec.spec.fields import Key, Place, Reader, Wrong
from poolspec.spec.source import Source, accept_text
from poolspec.spec.tree import Mapping, parse
from poolspec.steps.kind import PLACES

NUMBERS = "0 1 -1 7 100 1.0 0.5 1e3 1000001 .5 00 +1 0x1f 1_000"
TIMES = "0s 1s 250ms 1.5s 10m 90min 2d 5us 1y 5 1m30s"
CHECKS = "<=3 >=2 <5 >1s !=3 2..5 1s..2s 95% 5% 3%"
WORDS = (
    "true false yes on off null ~ a abc A Abc a1 a-b main lab pool import timeout lost threads"
    " asyncio fifo lifo scripted unit must real virtual nothing stopped server clock GET A06"
)
PHRASES = (
    *("1h 30m", "30m 1h", "<= 3", "> 0.5", "1s ± 5%", "10 +- 2", "2 .. 5", "10 %", "a b", "< 1s"),
    *("SELECT 1", "GET /visits", "first is waiting", "2 actors are waiting", "x is tired"),
    *("100ms..300ms", "decimal(10,2)", "a * b", "ConnectionPool", "A text.", " ", "orders.id"),
    *(
        "$n + 1",
        "2 * $t",
        "$n+$m - 3",
        "<= $n + 1",
        "$n * 2..$m",
        "$n / 2",
        "$n +",
        "2 + 3",
        "$n + 1.5",
    ),
    *("$t + 1.5s", "($n + 1) * 2", "$n ** 2", "$n + -1", "$n + 1 actors are waiting"),
)
PLAIN = [*NUMBERS.split(), *TIMES.split(), *CHECKS.split(), *WORDS.split(), *PHRASES, "$n", "$N"]
FLOWS = ["[]", "{}", "[a]", "[a, b]", "[1]", "[[1]]", "{a: 1}", "{size: 2}", "[lost]", ""]
TEXTS = [*PLAIN, *(f'"{text}"' for text in PLAIN), *FLOWS]

ONLY_THE_READER_KNOWS = (
    "is out of bounds",
    "can never hold",
    "always holds",
    "nothing is between",
    "not a tolerance",
    "is not allowed here",
    "is not a duration",
    "shortest time",
    "is not a whole number of seconds",
)
"""Faults that no schema can express, by words of their messages."""


def places() -> Iterator[Place]:
    for name, module in list(sys.modules.items()):
        if name.startswith(("poolspec.steps", "poolspec.expectations", "poolspec.loading")):
            yield from (value for value in vars(module).values() if isinstance(value, Place))
    yield from PLACES.values()


KEYS = {f"{place.name}: {key.name}": key for place in places() for key in place.keys}
DEFINITIONS = json_schema()["definitions"]


def read(key: Key[Any], text: str) -> str | None:
    """What the reader says of a value; None if it takes it."""
    root, source = document(text), Source("text")
    assert root is not None
    try:
        key.kind.read(Reader(source, root), root.pairs[0][1])
    except Wrong as fault:
        return fault.message
    return source.problems[0].message if source.problems else None


def document(text: str) -> Mapping | None:
    source = Source("text")
    accept_text(source, f"key: {text}\n".encode())
    root = parse(source)
    assert root is None or isinstance(root, Mapping)
    return root


def fits(key: Key[Any], text: str) -> bool:
    root = document(text)
    assert root is not None
    return bool(VALIDATORS[key.kind.words, str(key.kind.schema)].is_valid(values(root)["key"]))


VALIDATORS = {
    (key.kind.words, str(key.kind.schema)): validator(
        {"definitions": DEFINITIONS, **key.kind.schema}
    )
    for key in KEYS.values()
}
CORPUS = [text for text in TEXTS if document(text)]


@pytest.mark.parametrize("text", CORPUS, ids=ascii)
def test_reader_and_schema_agree_on(text: str) -> None:
    differ = []
    for name, key in KEYS.items():
        fault, fitting = read(key, text), fits(key, text)
        known = fitting and any(words in str(fault) for words in ONLY_THE_READER_KNOWS)
        if fitting is not (fault is None) and not known:
            differ.append((name, fault or "the reader takes it", "the schema takes it" * fitting))
    assert differ == []


def test_a_number_in_quotes_is_a_text_to_both() -> None:
    size = KEYS["the options of a pool: size"]
    assert read(size, '"1"') == "'1' in quotes is a text"
    assert not fits(size, '"1"')
    assert read(size, "1") is None
    assert fits(size, "1")


def test_each_part_of_the_schema_is_a_valid_schema() -> None:
    for key in KEYS.values():
        Draft7Validator.check_schema(key.kind.schema)
