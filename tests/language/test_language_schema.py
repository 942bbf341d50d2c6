"""The JSON Schema is valid and published, and refuses every fault that a schema can express."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from tests.language.test_language_errors import EXPECTATIONS, FILES, GOOD_TEST, KEYS, STEPS
from tests.language.test_language_model import EXPECTATIONS as GOOD_EXPECTATIONS
from tests.language.test_language_model import STEPS as GOOD_STEPS

from poolspec.errors import SpecErrors
from poolspec.load import load_suite
from poolspec.schema.specs import json_schema, schema_text
from poolspec.spec.scalars import resolve
from poolspec.spec.source import Source, accept_text
from poolspec.spec.tree import Mapping, Node, Scalar, parse

PROJECT = Path(__file__).parents[2]
VALIDATOR = Draft7Validator(json_schema())

ONLY_THE_READER_KNOWS = (
    "already",
    "unknown connection",
    "unknown actor",
    "unknown pool",
    "was released",
    "belongs to",
    "one acquire",
    "one release",
    "are mutually exclusive",
    "different pools",
    "has its own pool only if",
    "ends before its ramp",
    "is about one pool",
    "is not about one pool",
    "names two pools",
    "not a pool",
    "in no pool",
    "so it is never blocked",
    "is out of reach",
    "cannot start",
    "cannot join",
    "not a load",
    "not an actor",
    "not a connection",
    "unknown matrix",
    "never used",
    "is not allowed here",
    "outside of a test",
    "unknown profile",
    "nothing is expected",
    "nothing is between",
    "not a tolerance",
    "no step asks",
    "compares at least",
    "named twice",
    "the same row",
    "other names than",
    "needs 'operations',",
    "takes no timeout",
    "shortest time",
    "end of its block",
    "has one verb",
    "cannot name a parameter",
    "events needs one",
    "in one file",
    "out of bounds: from 0.001s",
    "out of bounds: from 1s",
    "whole number of seconds",
    "needs a server with",
    "needs two servers",
    "server_settings needs a server",
    "unknown key 'trafic'",
    "only, this test is not",
    "no new limit",
    "cannot cancel",
    "cannot fork",
    "cannot take the step",
    "is not allowed among",
    "in a forked child",
    "nothing to interrupt",
    "can recover only from",
    "has no steps",
    "when its block is left",
    "is in no block",
    "is not in a generator",
    "free to refuse",
    "connection_killed needs",
    "connect_slow needs",
    "takes no 'times'",
    "is permanent",
    "checks an error",
    "never reached",
    "unknown table",
    "to heal",
    "cannot be healed",
    "works in real time",
    "a configuration given as",
    "must be refused",
    "is given twice",
    "is never stopped",
    "is not running here",
    "'until' and",
    "still runs",
    "an actor cannot start a load",
)
"""Faults of names and of sense, which only the reader knows, by words of their messages."""


def plain(node: Node) -> Any:
    """The values of a document, without their places."""
    if isinstance(node, Scalar):
        return resolve(node)
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.pairs}
    return [plain(item) for item in node.items]


def document(text: str) -> Any:
    source = Source("text")
    accept_text(source, text.encode())
    root = parse(source)
    assert root is not None
    return plain(root)


def in_test(keys: str) -> str:
    lines = "".join(f"    {line}\n" for line in keys.split("\n"))
    head = "spec: 1\nclass: C\npurpose: p\ntests:\n  one:\n    purpose: p\n    validates: v\n"
    return f"{head}    covers: []\n{lines}"


def invalid() -> Iterator[tuple[str, str]]:
    for steps, message in STEPS.values():
        yield in_test("steps:\n  " + steps.replace("\n", "\n  ")), message
    for expect, message in EXPECTATIONS.values():
        yield in_test(f"expect: {expect}"), message
    for keys, message in KEYS.values():
        yield in_test(keys), message
    for text, message in FILES.values():
        yield text.replace("T}", f"{GOOD_TEST}}}"), message


INVALID = [
    (text.replace("«", ""), message)
    for text, message in invalid()
    if not any(words in message for words in ONLY_THE_READER_KNOWS)
]


def test_the_schema_is_a_valid_schema() -> None:
    Draft7Validator.check_schema(json_schema())


def test_the_published_schema_is_the_one_of_the_reader() -> None:
    published = PROJECT / "docs" / "schema" / "poolspec-1.json"
    assert published.read_text(encoding="utf-8") == schema_text(), (
        "run: poolspec schema > docs/schema/poolspec-1.json"
    )


def test_the_text_is_the_same_each_time() -> None:
    assert schema_text() == schema_text()
    assert json.loads(schema_text()) == json_schema()


SHARED = [PROJECT / "specs" / name for name in ("profiles.yaml", "tables.yaml")]


@pytest.mark.parametrize("path", sorted((PROJECT / "specs").glob("*.yaml")), ids=lambda p: p.name)
def test_a_spec_that_loads_fits_the_schema(path: Path) -> None:
    try:
        load_suite([path, *SHARED], root=PROJECT)
    except SpecErrors:
        pytest.fail("the spec does not load")
    assert list(VALIDATOR.iter_errors(document(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("steps", GOOD_STEPS)
def test_a_step_that_loads_fits_the_schema(steps: str) -> None:
    assert list(VALIDATOR.iter_errors(document(in_test(f"steps: {steps}")))) == []


@pytest.mark.parametrize("expect", GOOD_EXPECTATIONS)
def test_an_expectation_that_loads_fits_the_schema(expect: str) -> None:
    assert list(VALIDATOR.iter_errors(document(in_test(f"expect: {expect}")))) == []


@pytest.mark.parametrize(("text", "message"), INVALID, ids=[message for _, message in INVALID])
def test_a_fault_that_a_schema_can_know_does_not_fit_it(text: str, message: str) -> None:
    assert not VALIDATOR.is_valid(document(text))
