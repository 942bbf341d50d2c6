"""The guide to the language is true: its examples load, and its tables are those of the grammar."""

import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import cast

import pytest

from poolspec.expectations.registry import KINDS as EXPECTATIONS
from poolspec.load import load_suite
from poolspec.spec.fields import Key, Place, Reader
from poolspec.spec.source import Source, accept_text
from poolspec.spec.tree import parse
from poolspec.steps.fault_kinds import FAULTS
from poolspec.steps.kind import KINDS
from poolspec.steps.kind import PLACES as STEP_PLACES
from poolspec.vocabulary import (
    Call,
    Capability,
    Concurrency,
    Connections,
    Detail,
    Direction,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Hook,
    Interruption,
    Method,
    Order,
    Real,
    Reset,
    Target,
    rules,
)

GUIDE = Path(__file__).parents[2] / "docs" / "spec-language"
TEXT = "".join(page.read_text(encoding="utf-8") for page in sorted(GUIDE.glob("*.md")))
TABLE = re.compile(r"<!-- keys: ([^;]+?)(?:; besides (.+?))? -->\n(.*?)<!-- end -->", re.DOTALL)
EXAMPLE = re.compile(r"^```yaml ?(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

FOLLOWING = "<!-- capability rules -->\n"
WORDED: tuple[tuple[str, Mapping[StrEnum, Capability]], ...] = (
    ("fails: ", cast(Mapping[StrEnum, Capability], rules.ERRORS)),
    ("errors: ", cast(Mapping[StrEnum, Capability], rules.ERRORS)),
    ("fault: ", {row.fault: row.needs for row in FAULTS.values() if row.needs}),
    ("target: ", cast(Mapping[StrEnum, Capability], rules.TARGETS)),
    ("stats: ", cast(Mapping[StrEnum, Capability], rules.STATS)),
    ("events: ", cast(Mapping[StrEnum, Capability], rules.EVENTS)),
)

ROOMS = ("poolspec.steps.", "poolspec.expectations.", "poolspec.loading.")
MODULES = [module for name, module in sys.modules.items() if name.startswith(ROOMS)]
PLACES = {
    place.name: place
    for place in (
        *(value for module in MODULES for value in vars(module).values()),
        *STEP_PLACES.values(),
    )
    if isinstance(place, Place)
}
WORDS = [
    *(*Call, *Capability, *Connections, *Real),
    *(*ErrorKind, *EventKind, *Fault, *HealthWord, *Hook, *Method, *Order, *Reset, *Concurrency),
    *Interruption,
    *(*Detail, *Direction, *Flaw, *Given, *Target),
]
EXAMPLES = [(found[1], found[2]) for found in EXAMPLE.finditer(TEXT)]
TEST = "purpose: p\nvalidates: v\ncovers: []\n"
PRELUDE = (
    "pool: {setup: counting, on_acquire: counting}\n"
    "steps: [acquire: [a, b], {start: {first: [acquire: x], second: [acquire: y]}},"
    " {load: traffic, clients: 1, each: 1}, {fault: connect_refused}]\n"
)


def key_table(place: Place, known: tuple[str, ...]) -> str:
    """The table of a place's keys as the guide shows it, but for those that are known."""
    rows = ["| key | value | if left out | meaning | example |", "|---|---|---|---|---|"]
    for key in place.keys:
        if key.name in known:
            continue
        default = "*required*" if key.required else key.default or "not checked"
        example = f"`{key.name}: {key.example}`"
        words = f"`{key.name}`", key.kind.words, default, key.meaning, example
        rows.append(f"| {' | '.join(words)} |")
    return "\n".join(rows) + "\n"


def following_table() -> str:
    """The table of what follows from the words of a spec, by capability."""
    rows: dict[Capability, list[str]] = {}
    for verb, kind in KINDS.items():
        if kind.needs:
            rows.setdefault(kind.needs, []).append(f"the step `{verb}`")
        for key, need in kind.key_needs.items():
            what = "with a value" if key == verb else f"with `{key}`"
            rows.setdefault(need, []).append(f"the step `{verb}` {what}")
    for name, option in rules.OPTIONS.items():
        rows.setdefault(option.needs, []).append(f"the option `{name}`")
        if option.then:
            rows.setdefault(option.then, []).append(f"`{name}: {option.without}`")
    for row in EXPECTATIONS:
        if row.needs:
            rows.setdefault(row.needs, []).append(f"to expect `{row.name}`")
    for lead, words in WORDED:
        for word, need in words.items():
            rows.setdefault(need, []).append(f"`{lead}{word}`")
    body = (f"| `{need}` | {', '.join(rows[need])} |\n" for need in Capability if need in rows)
    return "| capability | follows from |\n|---|---|\n" + "".join(body)


def with_tables(text: str) -> str:
    """The guide with every table as the grammar has it."""
    lead, mark, rest = text.partition(FOLLOWING)
    _, end, rest = rest.partition("<!-- end -->")
    text = f"{lead}{mark}{following_table()}{end}{rest}"
    return TABLE.sub(_as_it_is, text)


def _as_it_is(found: re.Match[str]) -> str:
    head, _, _ = found[0].partition("\n")
    known = PLACES[found[2]].names if found[2] else ()
    return f"{head}\n{key_table(PLACES[found[1]], known)}<!-- end -->"


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in text.rstrip().split("\n"))


def whole(kind: str, text: str) -> str:
    """The file that a fragment of the guide is part of."""
    if kind == "spec":
        return text
    test = {
        "test": text,
        "steps": f"{TEST}steps:\n{indented(text, 2)}expect: {{server: {{peak: 1}}}}",
        "expect": f"{TEST}{PRELUDE}expect:\n{indented(text, 2)}",
    }[kind]
    return f"spec: 1\nclass: Example\npurpose: p\ntests:\n  example:\n{indented(test, 4)}"


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_an_example_loads(kind: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(whole(kind, text), encoding="utf-8")
    load_suite([path], root=tmp_path)


def test_the_tables_are_those_of_the_grammar() -> None:
    assert with_tables(TEXT) == TEXT


def test_every_place_with_keys_has_a_table() -> None:
    files = {"a file of profiles", "a file of requirements", "a file of tables"}
    shown = {found[1] for found in TABLE.finditer(TEXT)}
    assert {place.name for place in PLACES.values() if place.keys} - files == shown


def test_a_table_leaves_out_the_keys_of_another_table_only() -> None:
    ours = {"listener"}
    pairs = [(PLACES[found[1]], PLACES[found[2]]) for found in TABLE.finditer(TEXT) if found[2]]
    left_out = {place.name: set(known.names) - set(place.names) for place, known in pairs}
    assert left_out == {
        "the options of a global pool": ours | {"housekeeping"},
        "the options of an opened pool": ours,
        "a profile": ours | {"housekeeping"},
    }


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_vocabulary_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT


KEYS = [
    pytest.param(key, id=f"{place.name}: {key.name}")
    for place in PLACES.values()
    for key in place.keys
]


@pytest.mark.parametrize("key", KEYS)
def test_the_example_of_a_key_can_be_read(key: Key[object]) -> None:
    source = Source("example")
    accept_text(source, key.example.encode())
    node = parse(source)
    assert node is not None
    key.kind.read(Reader(source, node), node)
    assert source.problems == []


def test_every_verb_has_an_example() -> None:
    steps = "".join(text for kind, text in EXAMPLES if kind in ("steps", "test"))
    for verb in STEP_PLACES:
        assert re.search(rf"^ *- {verb}\b", steps, re.MULTILINE), verb
